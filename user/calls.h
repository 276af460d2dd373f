/* SPDX-License-Identifier: Apache-2.0 */
/* What hangs now, which servers died, which never answered, how long starting took: the text of `calls`. */
#ifndef MCPVIGIL_CALLS_H
#define MCPVIGIL_CALLS_H

#include "base/buf.h"
#include "facts.h"
#include "sink/lives.h"

#define CALLS_ROWS 1000 /* shown; the rest is counted */

struct calls_view {
	struct facts *facts;
	const struct lives *lives;
	uint64_t now;	     /* boot ns */
	int64_t wall_offset; /* wall time minus boot time, ns */
};

/* Append it all to @out, which holds at least 1 MiB: JSON lines, or tables for people. */
void calls_show(const struct calls_view *v, bool json, struct buf *out);
void calls_json(const struct calls_view *v, struct buf *out);
void calls_text(const struct calls_view *v, struct buf *out);
/* How a server ended, from what wait() gives: "exit 1", "signal 9 (Killed)". */
void calls_how(const struct death *d, char ret_s[64]);

#endif
