/* SPDX-License-Identifier: Apache-2.0 */
/* calls' arguments: the command parses them, and so does the agent that it asks. */
#ifndef MCPVIGIL_CMD_CALLS_H
#define MCPVIGIL_CMD_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "cmd/agent_opts.h"

struct calls_args {
	bool json, once;
	uint32_t watch; /* seconds; 0: not given */
	struct agent_opts agent;
};

/* Its input is a struct calls_args. */
extern const struct argp calls_argp;

#endif
