/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts as JSON lines in a file, rotated by size. */
#ifndef MCPVIGIL_SINK_ALERTLOG_H
#define MCPVIGIL_SINK_ALERTLOG_H

#include "sink/labels.h"
#include "sink/self.h"
#include "sink/sink.h"

struct alertlog_opts {
	char path[256];	    /* mode 0600; "-": standard output; "": off */
	uint64_t max_bytes; /* 16 MiB: then it becomes PATH.1 */
	uint32_t keep;	    /* 5 old files */
	const struct alert_labels *labels; /* of the whole node; outlives the sink. NULL: none */
	int64_t wall_offset;
};
void alertlog_opts_default(struct alertlog_opts *o);

extern const struct sink_ops alertlog_ops;
/* NULL with errno: the file cannot be opened, or is none. */
void *alertlog_new(const struct alertlog_opts *o);
/* sent, dropped and queued count lines, failed attempts to write. */
void alertlog_self(const void *self, struct self_sink *ret);

#endif
