/* SPDX-License-Identifier: Apache-2.0 */
/* Calls and notifications: making and freeing. */
#include "model/call.h"

#include <stdlib.h>

const char *const call_outcome_names[CALL_OUTCOMES] = {
	[CALL_OK] = "ok",
	[CALL_TOOL_ERROR] = "tool_error",
	[CALL_RPC_ERROR] = "rpc_error",
	[CALL_HTTP_ERROR] = "http_error",
	[CALL_CANCELLED] = "cancelled",
	[CALL_UNANSWERED] = "unanswered",
	[CALL_ORPHAN] = "orphan",
};

const char *const error_class_names[ERROR_CLASSES] = {
	[ERROR_NONE] = "none",
	[ERROR_OTHER] = "other",
	[ERROR_VALIDATION] = "validation",
	[ERROR_AUTH] = "auth",
	[ERROR_NOT_FOUND] = "not_found",
	[ERROR_TIMEOUT] = "timeout",
	[ERROR_RATE_LIMIT] = "rate_limit",
	[ERROR_UNAVAILABLE] = "unavailable",
};

struct call *call_new(void)
{
	return calloc(1, sizeof(struct call));
}

void call_free(struct call *c)
{
	if (!c)
		return;
	free(c->id);
	free(c->method);
	free(c->tool);
	free(c->prompt);
	free(c->resource);
	free(c->session);
	free(c->protocol_version);
	free(c->trace_id);
	free(c->parent_span_id);
	free(c->logical);
	free(c->client_name);
	free(c->server_name);
	free(c->params);
	free(c->result);
	free(c->error);
	free(c);
}

void note_free(struct note *n)
{
	if (!n)
		return;
	free(n->method);
	free(n->session);
	free(n->params);
	free(n);
}
