/* SPDX-License-Identifier: Apache-2.0 */
/* The command table, and nothing else. */
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "cmd/cmd.h"
#include "version.h"

static const struct cmd *const cmds[] = {
	&cmd_run,    &cmd_trace,  &cmd_calls,	 &cmd_doctor, &cmd_record,
	&cmd_replay, &cmd_config, &cmd_backtest, &cmd_metrics, &cmd_resolve,
};

#define CMDS (sizeof(cmds) / sizeof(cmds[0]))

static void help(FILE *f)
{
	fprintf(f, "Usage: mcpvigil COMMAND [OPTION...]\n"
		   "Watch the Model Context Protocol traffic of every process on this host.\n\n");
	for (size_t i = 0; i < CMDS; i++)
		fprintf(f, "  %-10s %s\n", cmds[i]->name, cmds[i]->summary);
	fprintf(f, "\n`mcpvigil COMMAND --help' lists a command's options.\n");
}

int main(int argc, char **argv)
{
	char name[64];

	if (argc < 2) {
		help(stderr);
		return 2;
	}
	for (size_t i = 0; i < CMDS; i++) {
		if (strcmp(argv[1], cmds[i]->name) == 0) {
			snprintf(name, sizeof(name), "mcpvigil %s", cmds[i]->name);
			argv[1] = name;
			return cmds[i]->run(argc - 1, argv + 1);
		}
	}
	if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
		help(stdout);
		return 0;
	}
	if (strcmp(argv[1], "--version") == 0) {
		printf("mcpvigil " MCPVIGIL_VERSION "\n");
		return 0;
	}
	log_err("unknown command '%s'; see mcpvigil --help", argv[1]);
	return 2;
}
