/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object a line: the output contract. */
#ifndef MCPVIGIL_SINK_JSON_H
#define MCPVIGIL_SINK_JSON_H

#include <stdint.h>

#include "sink/sink.h"

extern const struct sink_ops json_sink_ops;

/* Lines go to @fd, which stays the caller's. Wall time is boot time plus @wall_offset ns. NULL with
 * errno. */
void *json_sink_new(int fd, int64_t wall_offset);

#endif
