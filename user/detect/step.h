/* SPDX-License-Identifier: Apache-2.0 */
/* One tools/call as detection sees it: hashes and marks, never content. */
#ifndef MCPVIGIL_DETECT_STEP_H
#define MCPVIGIL_DETECT_STEP_H

#include <stdbool.h>
#include <stdint.h>

#include "model/call.h"

#define STEP_INTS 4
#define STEP_NAME 64

struct step {
	uint64_t session_no, lane, agent;
	uint64_t start, end;	/* boot ns */
	uint64_t busy_ns, bytes;
	/* Hashes; 0: not known, and then it is equal to nothing. */
	uint64_t key;		/* tool and arguments */
	uint64_t raw, masked;	/* result */
	uint64_t tool, shape, simhash;
	int64_t ints[STEP_INTS]; /* of the arguments, in the order of their paths */
	uint8_t n_ints;
	uint8_t class;		/* of name_class.h, after annotations and overrides */
	uint8_t row;		/* of the policy's thresholds */
	uint8_t error_class;
	bool err;		/* it failed, or its text says so */
	bool has_ordinal;
	uint32_t ordinal;
	struct fp args_fp, result_fp;
	char name[STEP_NAME];	/* of the tool, cut; what is behind its NUL is not set */
};

/* @ret_s from @c; class and row are left for the policy. */
void step_of(const struct call *c, uint64_t agent, struct step *ret_s);
/* The call was answered: it can be part of a loop. */
bool step_answered(const struct call *c);

#endif
