/* SPDX-License-Identifier: Apache-2.0 */
/* One aligned line a record, for people. */
#ifndef MCPVIGIL_SINK_COMPACT_H
#define MCPVIGIL_SINK_COMPACT_H

#include <stdbool.h>
#include <stdint.h>

#include "sink/out.h"
#include "sink/sink.h"

extern const struct sink_ops compact_ops;

/* Lines go to @fd, which stays the caller's. Times are local; wall time is boot time plus
 * @wall_offset ns. NULL with errno. */
void *compact_new(int fd, int64_t wall_offset, bool color);
/* As above, each line to @take. */
void *compact_to(out_line_fn take, void *ctx, int64_t wall_offset, bool color);

#endif
