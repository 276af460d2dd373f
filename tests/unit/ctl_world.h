/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of the control socket: an agent's loop, facts and socket, and clients on the same thread. */
#ifndef MCPVIGIL_TESTS_CTL_WORLD_H
#define MCPVIGIL_TESTS_CTL_WORLD_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"
#include "ctl.h"
#include "ctl_asker.h"
#include "facts.h"

#define ASKERS 20

struct world {
	struct evloop *l;
	struct facts *f;
	struct ctl *c;
	char dir[64], path[96];
	struct asker a[ASKERS];
	int drains;
	uint64_t guard; /* boot ns: a test that hangs fails */
	bool (*done)(struct world *w);
};

static inline void world_drain(void *ctx)
{
	struct world *w = ctx;

	w->drains++;
}

static inline void world_doctor(void *ctx, struct buf *out)
{
	(void)ctx;
	buf_add_str(out, "all is well\n");
}

static inline void world_verdict(void *ctx, uint64_t stream, bool is_mcp)
{
	(void)ctx;
	(void)stream;
	(void)is_mcp;
}

static inline void world_open(struct world *w, bool content, uint64_t settle_ns)
{
	struct ctl_opts o = { .path = w->path, .uid = geteuid(), .content = content, .settle_ns = settle_ns };
	const struct ctl_ops ops = { world_drain, world_doctor, w };
	struct facts_opts fo;

	memset(w, 0, sizeof(*w));
	snprintf(w->dir, sizeof(w->dir), "/tmp/ctl_test.XXXXXX");
	assert_non_null(mkdtemp(w->dir));
	snprintf(w->path, sizeof(w->path), "%s/sub/ctl.sock", w->dir);
	facts_opts_default(&fo);
	w->l = evloop_new();
	w->f = facts_new(&fo, NULL, world_verdict, NULL);
	assert_non_null(w->f);
	facts_sink(w->f)->content = content;
	w->c = ctl_new(w->l, &o, &ops, w->f);
	assert_non_null(w->c);
	assert_int_equal(sink_add(facts_sink(w->f), &ctl_sink_ops, w->c), 0);
	for (int i = 0; i < ASKERS; i++)
		w->a[i].fd = -1;
}

static inline void world_close(struct world *w)
{
	char sub[80];

	ctl_stop(w->c);
	facts_free(w->f);
	evloop_free(w->l);
	for (int i = 0; i < ASKERS; i++)
		asker_close(&w->a[i]);
	snprintf(sub, sizeof(sub), "%s/sub", w->dir);
	rmdir(sub);
	assert_int_equal(rmdir(w->dir), 0);
}

/* @words: each with its NUL, as a literal "trace\0plain" has them all. */
static inline void ask_bytes(struct world *w, int i, const char *words, size_t n)
{
	struct ctl_head h = { .type = CTL_REQUEST, .version = CTL_VERSION, .n = (uint32_t)n };

	asker_connect(&w->a[i], w->path);
	asker_send(&w->a[i], &h, sizeof(h));
	asker_send(&w->a[i], words, n);
}
#define ask(w, i, words) ask_bytes(w, i, words, sizeof(words))

static inline void world_tick(void *ctx)
{
	struct world *w = ctx;

	for (int i = 0; i < ASKERS; i++)
		listen_to(&w->a[i]);
	sink_flush(facts_sink(w->f));
	if (w->done(w) || clock_boot_ns() > w->guard)
		evloop_stop(w->l);
}

/* Let the agent and its clients do what they do until @done. */
static inline void until(struct world *w, bool (*done)(struct world *w))
{
	w->done = done;
	w->guard = clock_boot_ns() + 20 * NSEC_PER_SEC;
	assert_int_equal(evloop_tick(w->l, 1, world_tick, w), 0);
	assert_int_equal(evloop_run(w->l), 0);
	assert_true(done(w));
}

#endif
