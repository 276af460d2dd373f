/* SPDX-License-Identifier: Apache-2.0 */
/* trace: every MCP message and call on this host, as they happen. */
#include "agent.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace_opts.h"

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->child_inputs[0] = state->input;
	return 0;
}

static int trace_run(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &trace_opts_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.parser = parse_opt,
		.doc = "Show MCP calls and notifications of every process on this host. Needs root.",
		.children = children,
	};
	struct trace_opts o = { 0 };

	if (args_parse(&argp, argc, argv, &o))
		return 2;
	return agent_trace(&o) ? 1 : 0;
}

const struct cmd cmd_trace = {
	.name = "trace",
	.summary = "show MCP calls and notifications as they happen",
	.run = trace_run,
};
