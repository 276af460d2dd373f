/* SPDX-License-Identifier: Apache-2.0 */
/* A transcript through mcp/ to the sinks. */
#ifndef MCPVIGIL_TRANSCRIPT_PLAY_H
#define MCPVIGIL_TRANSCRIPT_PLAY_H

struct trace_opts;

/* Print the records of @path as @o says, then the summary. 0; or -errno after a line on standard error:
 * -EBADMSG where lines were skipped, and the rest was played. */
int transcript_play(const char *path, const struct trace_opts *o);

#endif
