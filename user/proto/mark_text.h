/* SPDX-License-Identifier: Apache-2.0 */
/* One string, key or number of a payload on its way to marks: hashed as it is and in another form at once, whatever
 * pieces it comes in. For marker.c only. */
#ifndef MCPVIGIL_PROTO_MARK_TEXT_H
#define MCPVIGIL_PROTO_MARK_TEXT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/fp.h"
#include "proto/mask.h"
#include "proto/simhash.h"

#define MARK_WINDOW 4096

/* The other form. */
enum mark_form {
	FORM_NONE,  /* none: it is given as the plain one */
	FORM_MASK,  /* masked, see mask.h */
	FORM_SHAPE, /* each run of digits as one '#' */
};

struct mark_text {
	uint8_t form; /* enum mark_form */
	bool in_digits;
	bool cut;	/* it did not fit into the window, so the streams below are at work */
	size_t n, done; /* bytes in the window, and those at its front that were hashed plain */
	uint64_t bytes;
	struct mask mask;
	struct simhash *sim; /* gets the text too; NULL: nobody does */
	char *head;	     /* where its first @head_max bytes go; NULL: nowhere */
	uint16_t head_n, head_max;
	struct fp_stream plain, other;
	bool other_cut; /* as @cut, of out[] and @other */
	size_t out_n;
	char window[MARK_WINDOW], out[MARK_WINDOW];
};

struct mark_leaf {
	struct fp plain, other;
	uint64_t bytes;	 /* of the text */
	struct sv whole; /* all of it until the next call; p is NULL where it is longer than the window */
};

/* @t->sim and @t->head are set by the caller afterwards. */
void mark_text_begin(struct mark_text *t, enum mark_form form);
void mark_text_add(struct mark_text *t, struct sv s);
/* @s is the rest. */
void mark_text_end(struct mark_text *t, struct sv s, struct mark_leaf *ret);

#endif
