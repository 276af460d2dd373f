/* SPDX-License-Identifier: Apache-2.0 */
/* replay: a recording or a transcript through the same pipeline as live capture, without root. */
#include "agent.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "cmd/trace_opts.h"
#include "transcript_play.h"

struct replay_opts {
	struct trace_opts trace;
	const char *recording, *transcript;
};

static const struct argp_option options[] = {
	{ "transcript", 't', "FILE", 0,
	  "JSON lines {\"ts_ms\":N,\"session\":\"S\",\"from\":\"client|server\",\"msg\":{JSON-RPC}}, "
	  "gzip'ed or not, fed in by ts_ms over all sessions. A malformed line is reported with its "
	  "number and skipped; the exit status is then 1",
	  0 },
	{ 0 },
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct replay_opts *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->trace;
		return 0;
	case 't':
		if (o->transcript)
			return args_bad("--transcript: one file at a time");
		o->transcript = arg;
		return 0;
	case ARGP_KEY_ARG:
		if (o->recording)
			return ARGP_ERR_UNKNOWN;
		o->recording = arg;
		return 0;
	case ARGP_KEY_END:
		if (!o->recording && !o->transcript)
			return args_bad("replay what? A recording FILE, or --transcript FILE");
		if (o->recording && o->transcript)
			return args_bad("either a recording or --transcript, not both");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int replay_run(int argc, char **argv)
{
	static const struct argp_child children[] = {
		{ &trace_opts_argp, 0, NULL, 0 },
		{ 0 },
	};
	static const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.args_doc = "FILE\n--transcript FILE",
		.doc = "Show what a recording of `mcpvigil record', or a transcript, holds.",
		.children = children,
	};
	struct replay_opts o = { 0 };

	if (args_parse(&argp, argc, argv, &o))
		return 2;
	if (o.transcript)
		return transcript_play(o.transcript, &o.trace) ? 1 : 0;
	return agent_replay(o.recording, &o.trace) ? 1 : 0;
}

const struct cmd cmd_replay = {
	.name = "replay",
	.summary = "show a recording or a JSON-RPC transcript; needs no root",
	.run = replay_run,
};
