/* SPDX-License-Identifier: Apache-2.0 */
/* Transcripts: JSON-RPC messages of past sessions, one JSON object a line, gzip'ed or not:
 *
 *	{"ts_ms":3000,"session":"a","agent":"optional","from":"client","msg":{JSON-RPC}}
 *
 * ts_ms is a decimal of at least 0, with up to six digits behind a point, in ms since 1970 or since
 * whatever the writer liked. from is "client" or "server". agent names who asked,
 * over several sessions; unknown members are passed over.
 * Lines may be in any order. Blank lines are nothing; a line that is none of the above is counted,
 * reported with its number, and skipped. */
#ifndef MCPVIGIL_TRANSCRIPT_H
#define MCPVIGIL_TRANSCRIPT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/sv.h"
#include "base/table.h"

#define TRANSCRIPT_TEXT_MAX	(2UL << 30) /* bytes, after decompression */
#define TRANSCRIPT_MSGS_MAX	(1U << 25)
#define TRANSCRIPT_SESSIONS_MAX (1U << 20)
#define TRANSCRIPT_NAME_MAX	256
#define TRANSCRIPT_REPORTS_MAX	10 /* malformed lines that are reported one by one */

/* Added to all times, because a time of 0 means "unknown" everywhere else; wall time is less by it. */
#define TRANSCRIPT_BIAS_NS 1000000000ULL

/* A session, or an agent. */
struct transcript_session {
	struct table_node node;
	uint32_t index; /* from 0, in order of first appearance */
	char name[];
};

struct transcript_msg {
	uint64_t ts; /* ns, TRANSCRIPT_BIAS_NS included */
	struct transcript_session *session;
	struct sv json;
	uint32_t agent; /* from 1; 0: not told */
	uint32_t line;
	uint8_t from; /* enum call_side */
	bool last;    /* of its session */
};

struct transcript {
	const char *path;
	struct buf text;
	struct transcript_msg *msg; /* by ts, then line */
	size_t n, room;
	struct table sessions, agents;
	uint64_t malformed;
	int err; /* private: of the decoder's output */
};

/* Read all of @path, which must outlive @t. 0, or -errno after one line on standard error; then too
 * transcript_done is to be called. */
int transcript_load(struct transcript *t, const char *path);
void transcript_done(struct transcript *t);
/* Count and report @line as malformed. */
void transcript_reject(struct transcript *t, uint32_t line, const char *why);

#endif
