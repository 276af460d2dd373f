/* SPDX-License-Identifier: Apache-2.0 */
/* trace: every MCP message and call on this host, as they happen. */
#include "agent.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace.h"
#include "ctl_client.h"

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct trace_args *a = state->input;

	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = &a->trace;
	state->child_inputs[1] = &a->agent;
	return 0;
}

static const struct argp_child children[] = {
	{ &trace_opts_argp, 0, NULL, 0 },
	{ &agent_opts_argp, 0, NULL, 0 },
	{ 0 },
};

const struct argp trace_argp = {
	.parser = parse_opt,
	.doc = "Show MCP calls and notifications of every process on this host. Needs root. Of a running agent, compact "
	       "lines show its local time, and the end of the trace takes a second.",
	.children = children,
};

static int trace_run(int argc, char **argv)
{
	struct ctl_request r = { .command = "trace", .argc = argc, .argv = argv };
	struct trace_args a = { 0 };
	int status;

	if (args_parse(&trace_argp, argc, argv, &a))
		return 2;
	r.color = trace_color(&a.trace);
	status = agent_ask(&a.agent, &r);
	if (status >= 0)
		return status;
	a.trace.no_tls = a.agent.no_tls;
	return agent_trace(&a.trace) ? 1 : 0;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.summary = "show MCP calls and notifications as they happen",
	.run = trace_run,
};
