/* SPDX-License-Identifier: Apache-2.0 */
/* record: what the kernel side saw, to a file, for replay. */
#include "agent.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace_opts.h"

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	const char **path = state->input;

	switch (key) {
	case ARGP_KEY_ARG:
		if (*path)
			return args_bad("one file at a time");
		*path = arg;
		return 0;
	case ARGP_KEY_END:
		return *path ? 0 : args_bad("record to which FILE?");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int record_run(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_opt,
		.args_doc = "FILE",
		.doc = "Record raw traffic to FILE (0600, never over an existing file) until SIGINT. The "
		       "file HOLDS PAYLOADS: arguments, results and whatever secrets are in them. Needs "
		       "root.",
	};
	struct trace_opts o = { 0 };
	const char *path = NULL;

	if (args_parse(&argp, argc, argv, &path))
		return 2;
	return agent_record(path, &o) ? 1 : 0;
}

const struct cmd cmd_record = {
	.name = "record",
	.summary = "record raw traffic to a file, payloads included",
	.run = record_run,
};
