/* SPDX-License-Identifier: Apache-2.0 */
/* The control socket against words and bytes that no client of ours sends. */
#include "ctl_world.h"

static bool first_watches(struct world *w)
{
	return text_has(&w->a[0].err, "watching");
}

static bool first_is_gone(struct world *w)
{
	return w->a[0].gone;
}

struct bad {
	const char *words;
	size_t n;
	int status;
	const char *err;
};
#define BAD(words, status, err) { words, sizeof(words), status, err }

static void test_bad_words(void **state)
{
	static const struct bad table[] = {
		BAD("stop\0plain", 2, "mcpvigil: the agent does not know this command\n"),
		BAD("\0", 2, "mcpvigil: the agent does not know this command\n"),
		BAD("trace", 2, "mcpvigil: this is no request that the agent understands\n"),
		BAD("trace\0plain\0--help", 2, "mcpvigil: trace: the agent does not know these options\n"),
		BAD("trace\0plain\0--usage", 2, "mcpvigil: trace: the agent does not know these options\n"),
		BAD("trace\0plain\0--HANG=9", 2, "mcpvigil: trace: the agent does not know these options\n"),
		BAD("trace\0plain\0--program-name=x", 2, "mcpvigil: trace: the agent does not know these options\n"),
		BAD("trace\0plain\0-o", 2, "mcpvigil: trace: the agent does not know these options\n"),
		BAD("trace\0plain\0-o\0xml", 2, "mcpvigil: -o 'xml': not one of compact, json, none\n"),
		BAD("trace\0plain\0word", 2, "mcpvigil: unexpected argument 'word'\n"),
		BAD("trace\0plain\0--pid=-1", 2, "mcpvigil: --pid '-1': not a process id\n"),
		BAD("trace\0plain\0--content", 1,
		    "mcpvigil: --content: the running agent keeps no payloads; set `content: true' in its configuration, or "
		    "use --no-agent\n"),
		BAD("trace\0plain\0--key-file=/etc/shadow", 1,
		    "mcpvigil: --key-file: the running agent has a key of its own; use --no-agent\n"),
		BAD("calls\0plain\0--nothing", 2, "mcpvigil: calls: the agent does not know these options\n"),
	};
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		ask_bytes(&w, 0, table[i].words, table[i].n);
		until(&w, first_is_gone);
		text_is(&w.a[0].err, table[i].err);
		assert_int_equal(w.a[0].status, table[i].status);
		assert_int_equal(w.a[0].out.n, 0);
		asker_close(&w.a[0]);
	}
	world_close(&w);
}

static void bad_bytes(struct world *w, const void *p, size_t n)
{
	asker_connect(&w->a[0], w->path);
	asker_send(&w->a[0], p, n);
	shutdown(w->a[0].fd, SHUT_WR);
	until(w, first_is_gone);
	assert_int_not_equal(w->a[0].status, 0);
	asker_close(&w->a[0]);
}

static void test_bad_frames(void **state)
{
	static const struct ctl_head table[] = {
		{ CTL_STDOUT, CTL_VERSION, 0, 6 },  { CTL_REQUEST, 0, 0, 6 },
		{ CTL_REQUEST, CTL_VERSION, 0, 0 }, { CTL_REQUEST, CTL_VERSION, 0, CTL_REQUEST_MAX + 1 },
		{ CTL_REQUEST, CTL_VERSION, 0, UINT32_MAX }, { CTL_REQUEST, CTL_VERSION, 0, 100 },
	};
	char many[sizeof(struct ctl_head) + CTL_REQUEST_MAX] = { 0 };
	struct ctl_head h = { CTL_REQUEST, CTL_VERSION, 0, CTL_REQUEST_MAX };
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		bad_bytes(&w, &table[i], sizeof(table[i]));
	bad_bytes(&w, "\x10", 1);
	bad_bytes(&w, "{\"jsonrpc\":\"2.0\"}\n", 18);
	bad_bytes(&w, "\x10\x01\0\0\x08\0\0\0doctor\0p", 16);	   /* no NUL */
	bad_bytes(&w, "\x10\x01\0\0\x09\0\0\0doctor\0p\0", 18); /* more than it says */
	memcpy(many, &h, sizeof(h));
	bad_bytes(&w, many, sizeof(many)); /* 16384 empty words */
	world_close(&w);
}

static uint32_t next_random(uint32_t *s)
{
	*s = *s * 1664525 + 1013904223;
	return *s >> 8;
}

static void test_random_bytes(void **state)
{
	uint32_t seed = 1;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	for (int i = 0; i < 300; i++) {
		char b[64];
		size_t n = 1 + next_random(&seed) % sizeof(b);
		struct ctl_head h = { CTL_REQUEST, CTL_VERSION, 0, (uint32_t)(n - n / 2) };

		for (size_t k = 0; k < n; k++)
			b[k] = (char)next_random(&seed);
		if (n > sizeof(h) && i % 2)
			memcpy(b, &h, sizeof(h));
		asker_connect(&w.a[0], w.path);
		asker_send(&w.a[0], b, n);
		shutdown(w.a[0].fd, SHUT_WR);
		until(&w, first_is_gone);
		asker_close(&w.a[0]);
	}
	world_close(&w);
}

static bool two_answered(struct world *w)
{
	return w->a[1].gone;
}

/* Cut at each place, a request is the same request. Another client's answer tells that the first half was read. */
static void test_split(void **state)
{
	static const char words[] = "doctor\0plain";
	char b[sizeof(struct ctl_head) + sizeof(words)];
	struct ctl_head h = { CTL_REQUEST, CTL_VERSION, 0, sizeof(words) };
	struct world w;

	(void)state;
	memcpy(b, &h, sizeof(h));
	memcpy(b + sizeof(h), words, sizeof(words));
	world_open(&w, false, 0);
	for (size_t cut = 1; cut < sizeof(b); cut++) {
		asker_connect(&w.a[0], w.path);
		asker_send(&w.a[0], b, cut);
		ask(&w, 1, "doctor\0plain");
		until(&w, two_answered);
		asker_send(&w.a[0], b + cut, sizeof(b) - cut);
		until(&w, first_is_gone);
		assert_true(text_has(&w.a[0].out, "all is well\n"));
		assert_int_equal(w.a[0].status, 0);
		asker_close(&w.a[0]);
		asker_close(&w.a[1]);
	}
	world_close(&w);
}

static void test_words_after_the_request(void **state)
{
	struct ctl_stats stats;
	struct world w;

	(void)state;
	world_open(&w, false, 0);
	ask(&w, 0, "trace\0plain");
	until(&w, first_watches);
	asker_send(&w.a[0], "x", 1);
	until(&w, first_is_gone);
	ctl_stats(w.c, &stats);
	assert_int_equal(stats.clients, 0);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_bad_words),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_random_bytes),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_words_after_the_request),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
