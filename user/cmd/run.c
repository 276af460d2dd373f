/* SPDX-License-Identifier: Apache-2.0 */
/* run: the agent as a daemon. */
#include <stdlib.h>

#include "agent.h"
#include "base/log.h"
#include "cmd/cmd.h"
#include "config.h"

static int run_run(int argc, char **argv)
{
	struct config_args args = { 0 };
	struct config *c;
	int err;

	if (config_parse_args(argc, argv, &args))
		return 2;
	if (!args.check)
		return agent_run(&args) ? 1 : 0;
	c = malloc(sizeof(*c));
	err = c ? config_load(c, &args) : -1;
	free(c);
	return err ? 1 : 0;
}

const struct cmd cmd_run = {
	.name = "run",
	.summary = "the daemon: watch, detect loops, metrics, alerts",
	.run = run_run,
};
