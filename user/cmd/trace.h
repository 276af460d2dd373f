/* SPDX-License-Identifier: Apache-2.0 */
/* trace's arguments: the command parses them, and so does the agent that it asks. */
#ifndef MCPVIGIL_CMD_TRACE_H
#define MCPVIGIL_CMD_TRACE_H

#include "cmd/agent_opts.h"
#include "cmd/trace_opts.h"

struct trace_args {
	struct trace_opts trace;
	struct agent_opts agent;
};

/* Its input is a struct trace_args. */
extern const struct argp trace_argp;

#endif
