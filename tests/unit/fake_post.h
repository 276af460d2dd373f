/* SPDX-License-Identifier: Apache-2.0 */
/* A network and a clock for the tests of what posts: answers are given by hand, time passes by hand. */
#ifndef MCPVIGIL_TESTS_FAKE_POST_H
#define MCPVIGIL_TESTS_FAKE_POST_H

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/clock.h"
#include "sink/post.h"

#define S NSEC_PER_SEC

struct fake_post {
	uint64_t now;
	bool busy, answered, freed;
	int status; /* what every request is answered with; 0: nothing until fake_answer */
	struct post_result result;
	unsigned int requests;
	char body[65536], header[POST_HEADERS][160];
};

static inline int fake_start(void *self, const struct post_req *r)
{
	struct fake_post *f = self;

	assert_false(f->busy);
	f->busy = true;
	f->requests++;
	assert_true(r->body.n < sizeof(f->body));
	memcpy(f->body, r->body.p, r->body.n);
	f->body[r->body.n] = '\0';
	for (int i = 0; i < POST_HEADERS; i++)
		snprintf(f->header[i], sizeof(f->header[i]), "%s", r->header[i] ? r->header[i] : "");
	if (f->status) {
		f->answered = true;
		f->result = (struct post_result){ .status = f->status };
	}
	return 0;
}

static inline bool fake_take(void *self, struct post_result *ret)
{
	struct fake_post *f = self;

	if (!f->answered)
		return false;
	f->answered = f->busy = false;
	*ret = f->result;
	return true;
}

static inline uint64_t fake_now(void *self)
{
	struct fake_post *f = self;

	return f->now;
}

static inline void fake_free(void *self)
{
	struct fake_post *f = self;

	f->freed = true;
}

static const struct post_ops fake_ops = { fake_start, fake_take, fake_now, fake_free };

static inline void fake_answer(struct fake_post *f, int status, uint64_t retry_after_s)
{
	assert_true(f->busy);
	f->answered = true;
	f->result = (struct post_result){ .status = status, .retry_after_ns = retry_after_s * S };
}

#endif
