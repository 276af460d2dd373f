/* SPDX-License-Identifier: Apache-2.0 */
/* calls: what hangs now, which servers died, which never answered initialize. */
#include "cmd/calls.h"

#include <stdio.h>

#include "agent.h"
#include "base/log.h"
#include "base/num.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "ctl_client.h"

#define WATCH_MAX 86400
#define CAPTURE_SECONDS 2

enum { OPT_ONCE = 256 };

static const struct argp_option options[] = {
	{ "output", 'o', "FORMAT", 0, "compact (default), or json", 1 },
	{ "watch", 'w', "SECONDS", 0, "again each so many seconds, until interrupted", 1 },
	{ "once", OPT_ONCE, NULL, 0, "one table, then end; the default where an agent is asked", 1 },
	{ 0 },
};

static const char doc[] =
	"Show requests that wait for an answer, oldest first: for how long, since when (local time), whose, on which "
	"server; then servers that have not answered initialize, servers that died and the calls they took along, and "
	"how long sessions took to start. Without an agent it captures by itself: it sees only what begins from then "
	"on, and shows it each 2 seconds (or -w) until interrupted. Needs root.\v"
	"With -o json, one object a line, each with kind, ts and seq:\n"
	"  in_flight: the fields of a call's record as far as they are known, without outcome and duration_ns; age_ns.\n"
	"  death: exit_code or signal, oom (where it is so), session, client, server and how they are connected; calls, "
	"the number of requests left unanswered, and names, the tools or methods of the first 4 of them. The last 64.\n"
	"  calls_total: in_flight, of which shown (at most 1000); deaths and starts since the agent's start; "
	"startup_p50_ns and startup_max_ns, of the last 256 starts, from initialize to its answer.";

static error_t set_watch(struct calls_args *a, const char *arg)
{
	uint64_t n;

	if (num_u64(sv_of(arg), &n) || n < 1 || n > WATCH_MAX)
		return args_bad("-w '%s': not a number of seconds from 1 to %d", arg, WATCH_MAX);
	a->watch = (uint32_t)n;
	return 0;
}

static error_t set_format(struct calls_args *a, const char *arg)
{
	a->json = sv_eq(sv_of(arg), SV("json"));
	if (!a->json && !sv_eq(sv_of(arg), SV("compact")))
		return args_bad("-o '%s': not one of compact, json", arg);
	return 0;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct calls_args *a = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &a->agent;
		return 0;
	case 'o':
		return set_format(a, arg);
	case 'w':
		return set_watch(a, arg);
	case OPT_ONCE:
		a->once = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static const struct argp_child children[] = {
	{ &agent_opts_argp, 0, NULL, 0 },
	{ 0 },
};

const struct argp calls_argp = { .options = options, .parser = parse_opt, .doc = doc, .children = children };

/* Again and again, until the agent is gone or the process is told to end. */
static int ask(const struct calls_args *a, struct ctl_request *r)
{
	int status = agent_ask(&a->agent, r);

	while (status == 0 && a->watch && !a->once && !r->ended && !ctl_wait(a->watch)) {
		if (!a->json) {
			printf("\n");
			fflush(stdout);
		}
		status = agent_ask(&a->agent, r);
		if (status >= 0)
			continue;
		log_err("the agent went away");
		return 1;
	}
	return status;
}

static int calls_run(int argc, char **argv)
{
	struct ctl_request r = { .command = "calls", .argc = argc, .argv = argv };
	struct calls_args a = { 0 };
	int status;

	if (args_parse(&calls_argp, argc, argv, &a))
		return 2;
	status = ask(&a, &r);
	if (status >= 0)
		return status;
	if (!a.watch)
		a.watch = CAPTURE_SECONDS;
	return agent_calls(&a) ? 1 : 0;
}

const struct cmd cmd_calls = {
	.name = "calls",
	.summary = "what hangs now, which servers died or never answered",
	.run = calls_run,
};
