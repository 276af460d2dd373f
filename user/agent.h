/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands run: the agent live, a recording being made, a recording played back. */
#ifndef MCPVIGIL_AGENT_H
#define MCPVIGIL_AGENT_H

struct calls_args;
struct config_args;
struct trace_opts;

/* Each returns 0, or -errno after one line on standard error; they end on SIGINT and SIGTERM. */
int agent_trace(const struct trace_opts *o);
/* The daemon. @args are read again for each reload. */
int agent_run(const struct config_args *args);
int agent_calls(const struct calls_args *args);
int agent_record(const char *path, const struct trace_opts *o);
int agent_replay(const char *path, const struct trace_opts *o);

#endif
