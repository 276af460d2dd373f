/* SPDX-License-Identifier: Apache-2.0 */
/* Newline-delimited framing: bytes in any chunking, fragments of lines out. No line is ever
 * buffered.
 *
 * 	while (lines_next(l, &in, &frag))
 * 		use(&frag); */
#ifndef MCPVIGIL_PROTO_LINES_H
#define MCPVIGIL_PROTO_LINES_H

#include <stdbool.h>

#include "base/sv.h"

/* Zeroed is ready: the next byte begins a line. Private to lines.c. */
struct lines {
	bool open; /* a fragment of this line was handed out */
	bool cr;   /* a CR was taken; what follows says whose it is */
};

/* LF ends a line, and a CR just before it belongs to the end. How a line falls into fragments
 * depends on the chunking; their texts joined do not. */
struct line_frag {
	struct sv text;	 /* may be empty */
	bool begin, end; /* first, last fragment of the line */
};

/* The next fragment off the front of @in, which moves on; false: @in is empty and all of it is
 * handed out, except a CR at its end, which waits. */
bool lines_next(struct lines *l, struct sv *in, struct line_frag *ret);
/* The stream ends here, or bytes are missing: what is left of an open line is handed out as its
 * end, although no LF came; false: no line was open. Ready for a new line in any case. */
bool lines_end(struct lines *l, struct line_frag *ret);

#endif
