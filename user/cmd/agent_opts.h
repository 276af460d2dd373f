/* SPDX-License-Identifier: Apache-2.0 */
/* Options of the commands that ask a running agent where there is one: trace, doctor, calls. */
#ifndef MCPVIGIL_CMD_AGENT_OPTS_H
#define MCPVIGIL_CMD_AGENT_OPTS_H

#include <argp.h>
#include <stdbool.h>

/* All zero is the default. */
struct agent_opts {
	const char *socket; /* NULL: the usual place */
	bool none;	    /* do not ask */
	bool no_tls;	    /* capturing without an agent, put no probes on TLS libraries */
};

/* Child of a command's argp; its input is a struct agent_opts. */
extern const struct argp agent_opts_argp;

/* What a command asks with: its name, whether colours are wanted, its arguments without argv[0]. */
struct ctl_request;
/* Have the agent run it: its exit status, with its output written; -1: no agent is there to ask, and none was named. */
int agent_ask(const struct agent_opts *o, struct ctl_request *r);

#endif
