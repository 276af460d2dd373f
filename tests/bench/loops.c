/* SPDX-License-Identifier: Apache-2.0 */
/* What loop detection costs a call: loops [SESSIONS] [agent|calls]
 *
 * Calls of a few tools with arguments and results that hardly repeat, round robin over the sessions; with "agent" each
 * is judged a second time, as its agent's; with "calls" they are only made up, which is to be subtracted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "detect/loop.h"

#define CALLS 2000000

static uint64_t alerts;

static void on_alert(void *ctx, const struct alert *a)
{
	(void)ctx;
	(void)a;
	alerts++;
}

static uint64_t next(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void fill(struct call *c, uint64_t *seed)
{
	static const char *const tools[] = { "read_file", "execute_sql",  "browser_click",
					     "git_log",	  "search_code", "create_issue" };

	c->tool = (char *)tools[next(seed) % 6];
	c->args_fp = (struct fp){ { next(seed) % 50 + 1, 1 } };
	c->result_fp = c->masked_fp = (struct fp){ { next(seed), 2 } };
	c->marks.shape = next(seed) % 20 + 1;
	c->marks.simhash = next(seed) | 1;
	c->marks.n_ints = 1;
	c->marks.ints[0].v = (int64_t)(next(seed) % 1000);
}

/* @l NULL: nobody looks at the calls. */
static double run(struct loops *l, unsigned int sessions, bool agent)
{
	struct call c = { .from = SIDE_CLIENT, .method = (char *)"tools/call", .session = (char *)"s",
			  .has_ordinal = true, .has_duration = true, .duration_ns = 400000 };
	struct loop_who who = { .server = "server", .client = "client" };
	uint32_t *ordinal = calloc(sessions, sizeof(*ordinal));
	uint64_t seed = 88172645463325252ULL, ts = 1000000000;
	struct timespec a, b;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &a);
	for (unsigned int i = 0; ordinal && i < CALLS; i++) {
		unsigned int s = i % sessions;

		fill(&c, &seed);
		c.session_no = s + 1;
		c.ordinal = ordinal[s]++;
		c.start = ts += 3000000000ULL / sessions;
		c.ts = c.start + c.duration_ns;
		who.agent = agent ? 1 + s % 64 : 0;
		if (l) {
			loops_asked(l, &c, &who);
			loops_call(l, &c, &who);
		} else {
			__asm__ volatile("" : : "r"(&c), "r"(&who) : "memory");
		}
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &b);
	free(ordinal);
	return ((double)(b.tv_sec - a.tv_sec) * 1e9 + (double)(b.tv_nsec - a.tv_nsec)) / CALLS;
}

int main(int argc, char **argv)
{
	unsigned int sessions = argc > 1 ? (unsigned int)strtoul(argv[1], NULL, 10) : 1;
	struct loop_ops ops = { on_alert, NULL };
	struct loops_stats st;
	struct loop_opts o;
	const char *mode = argc > 2 ? argv[2] : "";
	struct loops *l;
	double ns;

	loop_opts_default(&o);
	l = loops_new(&o, &ops);
	if (!l || !sessions)
		return 1;
	ns = run(strcmp(mode, "calls") ? l : NULL, sessions, !strcmp(mode, "agent"));
	loops_stats(l, &st);
	printf("%u sessions: %.0f ns a call, %zu bytes a session\n", sessions, ns, st.session_bytes);
	loops_free(l);
	return 0;
}
