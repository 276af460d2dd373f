/* SPDX-License-Identifier: Apache-2.0 */
/* record: what the kernel side saw, to a file, for replay. */
#include "agent.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace_opts.h"

enum { OPT_NO_TLS = 256 };

static const struct argp_option options[] = {
	{ "no-tls", OPT_NO_TLS, NULL, 0, "put no probes on TLS libraries", 1 },
	{ 0 },
};

struct record_args {
	struct trace_opts trace;
	const char *path;
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct record_args *a = state->input;

	switch (key) {
	case OPT_NO_TLS:
		a->trace.no_tls = true;
		return 0;
	case ARGP_KEY_ARG:
		if (a->path)
			return args_bad("one file at a time");
		a->path = arg;
		return 0;
	case ARGP_KEY_END:
		return a->path ? 0 : args_bad("record to which FILE?");
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int record_run(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.args_doc = "FILE",
		.doc = "Record raw traffic to FILE (0600, never over an existing file) until SIGINT. The "
		       "file HOLDS PAYLOADS: arguments, results and whatever secrets are in them. Needs "
		       "root.",
	};
	struct record_args a = { 0 };

	if (args_parse(&argp, argc, argv, &a))
		return 2;
	return agent_record(a.path, &a.trace) ? 1 : 0;
}

const struct cmd cmd_record = {
	.name = "record",
	.summary = "record raw traffic to a file, payloads included",
	.run = record_run,
};
