/* SPDX-License-Identifier: Apache-2.0 */
/* Memory under load: the pipeline of `mcpvigil run` from decoded bytes to all its sinks, in one process.
 *
 *	soak calls N		N calls of 64 steady sessions: memory stays what it was after the first tenth
 *	soak flood N M		N sessions, M distinct tool names over all of them, and one good session between: it loses
 *				nothing, and its loop is told
 *
 * Prints one JSON line; exit 1 where a promise was broken. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent_sinks.h"
#include "base/clock.h"
#include "facts.h"
#include "proto/jsonrpc.h"

#define GROWTH_MAX (16UL << 20) /* allocator slack, sketches that fill; a leak of one byte a call would be 10 MB */
#define RSS_MAX	   (400UL << 20) /* with every table at its default cap */

struct soak {
	struct facts *facts;
	struct rpc *rpc;
	struct mcp_msg msg; /* being fed */
	uint64_t now, fed;
	uint64_t calls, good_calls, good_ok, good_alerts;
};

static const char *const good = "good";

static void on_rpc(void *ctx, const struct rpc_msg *m)
{
	struct soak *s = ctx;

	s->msg.rpc = m;
	mcp_feed(facts_mcp(s->facts), &s->msg);
}

static void feed(struct soak *s, const char *session, uint64_t no, uint8_t from, const char *text)
{
	s->now += 1000000;
	s->msg = (struct mcp_msg){
		.stream = 2 * no + 1 + (from == SIDE_SERVER),
		.reverse = 2 * no + 1 + (from != SIDE_SERVER),
		.t = { s->now, s->now, s->now, s->now },
		.transcript = session,
		.from = from,
	};
	rpc_feed(s->rpc, sv_of(text));
	if (++s->fed % 128 == 0)
		facts_tick(s->facts, s->now);
}

/* One call of @tool and its answer. */
static void call(struct soak *s, const char *session, uint64_t no, const char *tool, const char *args)
{
	char text[512];

	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"method\":\"tools/call\",\"params\":{\"name\":\"%s\",\"arguments\":%s}}",
		 s->fed, tool, args);
	feed(s, session, no, SIDE_CLIENT, text);
	snprintf(text, sizeof(text),
		 "{\"jsonrpc\":\"2.0\",\"id\":%" PRIu64 ",\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"answer %s\"}]}}",
		 s->fed - 1, args[2] ? "with a text of some length to hash and to mask" : "");
	feed(s, session, no, SIDE_SERVER, text);
}

static void end(struct soak *s, uint64_t no)
{
	mcp_stream_end(facts_mcp(s->facts), 2 * no + 1, s->now, "eof");
	mcp_stream_end(facts_mcp(s->facts), 2 * no + 2, s->now, "eof");
}

static void count_call(void *self, const struct call *c, const struct sink_peers *p)
{
	struct soak *s = self;
	bool is_good = c->session && strcmp(c->session, good) == 0;

	(void)p;
	s->calls++;
	s->good_calls += is_good;
	s->good_ok += is_good && c->outcome == CALL_OK;
}

static void count_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct soak *s = self;

	(void)p;
	s->good_alerts += a->state == ALERT_FIRING && a->session && strcmp(a->session, good) == 0;
}

static uint64_t rss_bytes(void)
{
	unsigned long size, resident;
	FILE *f = fopen("/proc/self/statm", "r");
	int n = f ? fscanf(f, "%lu %lu", &size, &resident) : 0;

	if (f)
		fclose(f);
	return n == 2 ? resident * (uint64_t)sysconf(_SC_PAGESIZE) : 0;
}

/* @calls steady calls. @return bytes that memory grew by after the first tenth. */
static int64_t steady(struct soak *s, uint64_t calls)
{
	char name[32], tool[32], args[64];
	uint64_t before = 0;

	for (uint64_t i = 0; i < calls; i++) {
		if (i == calls / 10)
			before = rss_bytes();
		snprintf(name, sizeof(name), "steady-%" PRIu64, i % 64);
		snprintf(tool, sizeof(tool), "tool_%" PRIu64, i / 64 % 20);
		snprintf(args, sizeof(args), "{\"path\":\"/a/%" PRIu64 "\",\"n\":%" PRIu64 "}", i * 7919, i % 13);
		call(s, name, i % 64, tool, args);
	}
	return (int64_t)(rss_bytes() - before);
}

static void flood(struct soak *s, uint64_t sessions, uint64_t tools)
{
	uint64_t per = tools / sessions ? tools / sessions : 1, made = 0;
	char name[32], tool[40];

	for (uint64_t i = 1; i <= sessions; i++) {
		snprintf(name, sizeof(name), "flood-%" PRIu64, i);
		for (uint64_t k = 0; k < per; k++) {
			snprintf(tool, sizeof(tool), "tool_%" PRIu64, made++);
			call(s, name, i, tool, "{}");
		}
		if (i % 100 == 0)
			call(s, good, 0, "look", "{}");
		if (i % 4)
			end(s, i); /* a quarter is left open: the table has to make room */
	}
}

static int soak_init(struct soak *s, struct agent_sinks *sinks, struct config *c)
{
	static const struct sink_ops counts = { .call = count_call, .alert = count_alert };
	struct rpc_opts rpc = { .strict = true, .marks = true, .msg = on_rpc, .ctx = s };
	int err;

	*s = (struct soak){ .now = clock_boot_ns() };
	config_default(c);
	c->prom.listen[0] = 0;
	c->alertlog.path[0] = 0;
	snprintf(c->prom.listen, sizeof(c->prom.listen), "127.0.0.1:0");
	snprintf(c->alertmanager[0].url, sizeof(c->alertmanager[0].url), "http://127.0.0.1:9");
	c->alertmanagers = 1;
	s->facts = facts_new(&c->facts, NULL, NULL, NULL);
	s->rpc = rpc_new(&rpc);
	if (!s->facts || !s->rpc)
		return -ENOMEM;
	err = agent_sinks_new(sinks, facts_sink(s->facts), c, clock_wall_offset_ns());
	return err ? err : sink_add(facts_sink(s->facts), &counts, s);
}

static bool show(const struct soak *s, int64_t grown, bool ok)
{
	printf("{\"calls\":%" PRIu64 ",\"rss\":%" PRIu64 ",\"grown\":%" PRId64 ",\"good_calls\":%" PRIu64
	       ",\"good_ok\":%" PRIu64 ",\"good_alerts\":%" PRIu64 ",\"ok\":%s}\n",
	       s->calls, rss_bytes(), grown, s->good_calls, s->good_ok, s->good_alerts, ok ? "true" : "false");
	return ok;
}

int main(int argc, char **argv)
{
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0, m = argc > 3 ? strtoull(argv[3], NULL, 10) : 0;
	struct config *c = calloc(1, sizeof(*c));
	struct agent_sinks sinks = { 0 };
	int64_t grown = 0;
	struct soak s;
	bool ok;

	if (!n || !c || soak_init(&s, &sinks, c))
		return 2;
	if (m) {
		flood(&s, n, m);
		facts_flush(s.facts, s.now);
		ok = rss_bytes() < RSS_MAX && s.good_calls == n / 100 && s.good_ok == s.good_calls && s.good_alerts;
	} else {
		grown = steady(&s, n);
		facts_flush(s.facts, s.now);
		ok = grown < (int64_t)GROWTH_MAX && s.calls == n && rss_bytes() < RSS_MAX;
	}
	ok = show(&s, grown, ok);
	rpc_free(s.rpc);
	facts_free(s.facts);
	free(c);
	return ok ? 0 : 1;
}
