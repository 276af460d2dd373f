/* SPDX-License-Identifier: Apache-2.0 */
/* A process as members of a JSON object: of client, server and process in records. */
#ifndef MCPVIGIL_SINK_PROCESS_JSON_H
#define MCPVIGIL_SINK_PROCESS_JSON_H

#include "base/jsonw.h"
#include "model/who.h"

/* @who may be NULL: nothing but the pid is known. What is not known is left out; command lines are never printed. */
void process_json(struct jsonw *w, const struct proc_id *id, const struct who *who);

#endif
