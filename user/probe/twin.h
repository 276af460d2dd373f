/* SPDX-License-Identifier: Apache-2.0 */
/* One real file under several names: each overlay file system has its own device and inode for it, and a probe put on through one
 * is in all of them. Private to probe/. */
#ifndef MCPVIGIL_PROBE_TWIN_H
#define MCPVIGIL_PROBE_TWIN_H

#include <stdbool.h>

struct tls_found;

/* Is there a probe, whoever put it on, at each point of @f in whatever maps the file behind @fd? false where that cannot be told. */
bool twin_probed(int fd, const struct tls_found *f);

#endif
