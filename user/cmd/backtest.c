/* SPDX-License-Identifier: Apache-2.0 */
/* backtest: which alerts a configuration would have given, over recordings and transcripts. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "agent.h"
#include "base/buf.h"
#include "base/jsonw.h"
#include "base/log.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace_opts.h"
#include "config.h"
#include "probe/tape.h"
#include "transcript_play.h"

#define RULES_SHOWN 128 /* loop rules and configured ones */
#define FILES_MAX   1024

struct tally {
	char rule[64];
	uint8_t severity;
	uint64_t fired, again, resolved;
};

struct backtest {
	struct config_args args;
	const char *file[FILES_MAX];
	unsigned int files;
	bool json;
	struct tally tally[RULES_SHOWN];
	unsigned int rules;
	uint64_t calls, sessions, other; /* other: alerts of rules beyond the table */
	const char *at;			 /* file being replayed */
	struct buf line;
};

static struct tally *tally_of(struct backtest *b, const struct alert *a)
{
	for (unsigned int i = 0; i < b->rules; i++) {
		if (strcmp(b->tally[i].rule, a->rule) == 0)
			return &b->tally[i];
	}
	if (b->rules == RULES_SHOWN)
		return NULL;
	snprintf(b->tally[b->rules].rule, sizeof(b->tally[0].rule), "%s", a->rule);
	b->tally[b->rules].severity = a->severity;
	return &b->tally[b->rules++];
}

static void on_alert(void *self, const struct alert *a, const struct sink_peers *p)
{
	struct backtest *b = self;
	struct tally *t = tally_of(b, a);

	(void)p;
	if (!t) {
		b->other++;
		return;
	}
	t->resolved += a->state == ALERT_RESOLVED;
	t->again += a->state == ALERT_FIRING && a->notified > 1;
	if (a->state != ALERT_FIRING || a->notified > 1)
		return;
	t->fired++;
	if (b->json)
		return; /* the JSON output has them whole */
	buf_reset(&b->line);
	buf_addf(&b->line, "%-6s  %-28s  ", a->severity == ALERT_HIGH ? "high" : "notice", a->rule);
	text_safe(&b->line, sv_of(b->at), 60);
	buf_add_str(&b->line, "  ");
	text_safe(&b->line, sv_of(a->session ? a->session : "-"), 60);
	if (a->has_call)
		buf_addf(&b->line, "  call %" PRIu32, a->call);
	buf_add_str(&b->line, "  ");
	text_safe(&b->line, sv_of(a->tool ? a->tool : "-"), 60);
	buf_add_ch(&b->line, '\n');
	fwrite(b->line.p, 1, b->line.n, stdout);
}

static void on_call(void *self, const struct call *c, const struct sink_peers *p)
{
	struct backtest *b = self;

	(void)c;
	(void)p;
	b->calls++;
}

static void on_session(void *self, const struct session_event *e, const struct sink_peers *p)
{
	struct backtest *b = self;

	(void)p;
	b->sessions += !e->end;
}

static const struct sink_ops backtest_ops = { .call = on_call, .session = on_session, .alert = on_alert };

static void show(const struct backtest *b)
{
	printf("\n%-6s  %-28s  %10s  %10s  %10s\n", "", "rule", "alerts", "repeated", "resolved");
	for (unsigned int i = 0; i < b->rules; i++) {
		const struct tally *t = &b->tally[i];

		printf("%-6s  %-28s  %10" PRIu64 "  %10" PRIu64 "  %10" PRIu64 "\n",
		       t->severity == ALERT_HIGH ? "high" : "notice", t->rule, t->fired, t->again, t->resolved);
	}
	if (b->other)
		printf("and %" PRIu64 " of more rules than are counted here\n", b->other);
	printf("%" PRIu64 " calls, %" PRIu64 " sessions in %u file%s\n", b->calls, b->sessions, b->files,
	       b->files == 1 ? "" : "s");
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct backtest *b = state->input;

	switch (key) {
	case 'r':
		b->args.file = arg;
		return 0;
	case 'o':
		b->json = strcmp(arg, "json") == 0;
		if (!b->json && strcmp(arg, "compact") != 0)
			return args_bad("-o '%s': not one of compact, json", arg);
		return 0;
	case ARGP_KEY_ARG:
		if (b->files == FILES_MAX)
			return args_bad("more than %d files", FILES_MAX);
		b->file[b->files++] = arg;
		return 0;
	case ARGP_KEY_END:
		return b->files ? 0 : args_bad("backtest what? Recordings of `mcpvigil record', or transcripts");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int replay_all(struct backtest *b, const struct facts_opts *facts)
{
	struct trace_opts o = {
		.format = b->json ? TRACE_JSON : TRACE_NONE,
		.filter.only_alerts = b->json,
		.facts = facts,
		.extra = &backtest_ops,
		.extra_self = b,
		.quiet = true,
	};
	int failed = 0;

	for (unsigned int i = 0; i < b->files; i++) {
		b->at = b->file[i];
		if (tape_is(b->at) ? agent_replay(b->at, &o) : transcript_play(b->at, &o))
			failed = 1;
	}
	return failed;
}

static int backtest_run(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "rules", 'r', "FILE", 0, "configuration whose loops and alert rules are tried; default: the defaults", 0 },
		{ "output", 'o', "FORMAT", 0, "compact (default): a line an alert and a table; json: the alert records", 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.args_doc = "FILE...",
		.doc = "Say which alerts a configuration would have given over recordings and transcripts. Needs no root.",
	};
	struct backtest *b = calloc(1, sizeof(*b));
	struct config *c = malloc(sizeof(*c));
	int rc = 2;

	if (!b || !c || args_parse(&argp, argc, argv, b))
		goto out;
	buf_init(&b->line, 4096);
	b->args.check = true;
	config_default(c);
	rc = b->args.file && config_load(c, &b->args) ? 1 : 0;
	if (rc)
		goto out;
	rc = replay_all(b, &c->facts);
	if (!b->json)
		show(b);
out:
	if (b)
		buf_done(&b->line);
	free(b);
	free(c);
	return rc;
}

const struct cmd cmd_backtest = {
	.name = "backtest",
	.summary = "which alerts a configuration would have given",
	.run = backtest_run,
};
