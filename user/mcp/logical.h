/* SPDX-License-Identifier: Apache-2.0 */
/* Several requests that are one call: answered with a question (requestState), or with a task (taskId).
 *
 * Each request stays a call of its own, marked as a part; when the whole is over, mcp_ops.logical tells what became of
 * it. */
#ifndef MCPVIGIL_MCP_LOGICAL_H
#define MCPVIGIL_MCP_LOGICAL_H

#include "mcp/session.h"

struct pending;
struct whole;

enum task_status { TASK_GOES_ON, TASK_COMPLETED, TASK_FAILED, TASK_CANCELLED };

/* What the answer to a request means for the call that it is a part of. */
struct logical_step {
	bool by_state;	  /* input: there is a state; else the same arguments come again with the input */
	bool input, task; /* it goes on: by the request with this state, by the polls of this task */
	bool flat;	  /* task: of the extension, whose tasks/get brings the result */
	bool poll;	  /* it was asked about the task @key */
	bool result;	  /* ... by tasks/result, whose answer is the tool's */
	uint8_t status;	  /* poll: enum task_status */
	bool inner_error, has_code;
	int64_t code;	  /* of the error within a tasks/get's result */
	struct session_key key;
};

int logicals_init(struct mcp *m);
/* Frees all without a word. */
void logicals_done(struct mcp *m);
/* @p was just made: is it the next request of a whole? */
void logical_asked(struct mcp *m, struct pending *p, const struct rpc_msg *rpc);
/* Its answer: what p->step has to say once the call is told. */
void logical_answered(struct pending *p, const struct rpc_msg *rpc);
/* @c, complete, is about to be told: mark it as a part. @whole: that it continued, or NULL. The whole that is over with
 * it, for logical_tell once @c is told; else NULL. */
struct whole *logical_part(struct mcp *m, struct session *s, struct call *c, const struct logical_step *step,
			   struct whole *whole);
/* Report and free it. */
void logical_tell(struct mcp *m, struct whole *w);
/* Free it without a word; NULL is fine. */
void logical_free(struct whole *w);
/* A notification about a task. */
void logical_note(struct mcp *m, const struct mcp_link *l);
/* What the session left open is told as such. */
void logical_session_end(struct mcp *m, struct session *s);
void logical_tick(struct mcp *m);

#endif
