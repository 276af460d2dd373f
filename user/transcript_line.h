/* SPDX-License-Identifier: Apache-2.0 */
/* One line of a transcript. */
#ifndef MCPVIGIL_TRANSCRIPT_LINE_H
#define MCPVIGIL_TRANSCRIPT_LINE_H

#include <stdint.h>

#include "base/sv.h"
#include "proto/json.h"
#include "transcript.h"

struct transcript_line {
	uint64_t ts; /* ts_ms in ns */
	uint8_t from;
	struct sv session; /* into name */
	struct sv msg;	   /* into the line */
	struct sv agent; /* into agent_name; empty: not told */
	char name[TRANSCRIPT_NAME_MAX], agent_name[TRANSCRIPT_NAME_MAX];
	struct json json; /* private */
};

/* Parse @text, without white space around it. NULL with @ret_l filled, or what is wrong with it. */
const char *transcript_line_parse(struct sv text, struct transcript_line *ret_l);

#endif
