/* SPDX-License-Identifier: Apache-2.0 */
/* Is this a whole record? For the rings and for recordings, whose bytes anybody may have made. */
#ifndef MCPVIGIL_PROBE_RECORD_H
#define MCPVIGIL_PROBE_RECORD_H

#include <stdbool.h>
#include <stddef.h>

#include <linux/types.h>

#include "event.h"

/* @size: bytes that are there. Unknown kinds are whole where their head is. */
bool record_ok(const struct ev_hdr *h, size_t size);

#endif
