/* SPDX-License-Identifier: Apache-2.0 */
/* One command: a row of the table in main.c. */
#ifndef MCPVIGIL_CMD_CMD_H
#define MCPVIGIL_CMD_CMD_H

struct cmd {
	const char *name, *summary;
	/* argv[0] is "mcpvigil <name>". Returns the exit status: 0, 1 it failed, 2 it was asked wrongly. */
	int (*run)(int argc, char **argv);
};

extern const struct cmd cmd_run;
extern const struct cmd cmd_config;
extern const struct cmd cmd_backtest;
extern const struct cmd cmd_trace;
extern const struct cmd cmd_doctor;
extern const struct cmd cmd_calls;
extern const struct cmd cmd_record;
extern const struct cmd cmd_replay;
extern const struct cmd cmd_metrics;
extern const struct cmd cmd_resolve;

#endif
