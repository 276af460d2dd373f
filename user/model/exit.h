/* SPDX-License-Identifier: Apache-2.0 */
/* How a process ended. */
#ifndef MCPVIGIL_MODEL_EXIT_H
#define MCPVIGIL_MODEL_EXIT_H

#include "base/jsonw.h"
#include "model/who.h"

/* As members of a JSON object: "exit_code":N, or "signal":"SIGKILL" and, if so, "oom":true. None where it lives. */
void exit_json(struct jsonw *w, const struct who *who);
/* The same as an object: evidence of a finding. 0, or -ENOSPC where @out is full. */
int exit_evidence(const struct who *who, struct buf *out);
/* Did it fail within its first 10 s, with a pipe or socket as standard input or output? Whether it had answered anything,
 * mcp/ knows. */
bool exit_at_start(const struct who *who);

#endif
