/* SPDX-License-Identifier: Apache-2.0 */
/* One JSON object a line: the output contract. */
#ifndef MCPVIGIL_SINK_JSON_H
#define MCPVIGIL_SINK_JSON_H

#include <stdint.h>

#include "base/jsonw.h"
#include "sink/out.h"
#include "sink/sink.h"

extern const struct sink_ops json_sink_ops;

/* Lines go to @fd, which stays the caller's. Wall time is boot time plus @wall_offset ns. NULL with
 * errno. */
void *json_sink_new(int fd, int64_t wall_offset);

/* As above, each line to @take; what it refuses has no seq. */
struct json_sink;
struct json_sink *json_sink_to(out_line_fn take, void *ctx, int64_t wall_offset);
/* Records of other kinds on the same lines: members are written between the two. false: there was no memory. */
struct jsonw *json_begin(struct json_sink *j, const char *kind, uint64_t ts);
bool json_finish(struct json_sink *j);
/* The members of a call's record but its payloads; an outcome that is none (CALL_OUTCOMES) is left out. */
void json_call_fields(struct json_sink *j, const struct call *c, const struct sink_peers *p);
void json_route(struct jsonw *w, const struct route *r, const struct sink_peers *p);

#endif
