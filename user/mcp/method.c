/* SPDX-License-Identifier: Apache-2.0 */
/* Method table, both eras.
 *
 * Source: schema.ts of 2024-11-05 ... 2026-07-28 and SEP-2663. tasks/get, tasks/cancel and tasks/list are A2A's as
 * well; initialize and ping are everybody's. */
#include "mcp/method.h"

#include <stdlib.h>

#define C SENT_BY_CLIENT
#define S SENT_BY_SERVER
#define CS SENT_BY_BOTH
#define ROW(text, sender, target, eras, only) { { text, sizeof(text) - 1 }, sender, target, eras, only }

/* Sorted by name, for bsearch. */
static const struct method methods[] = {
	ROW("completion/complete", C, TARGET_NONE, IN_BOTH, true),
	ROW("elicitation/create", S, TARGET_NONE, IN_LEGACY, true),
	ROW("initialize", C, TARGET_NONE, IN_LEGACY, false),
	ROW("logging/setLevel", C, TARGET_NONE, IN_LEGACY, true),
	ROW("notifications/cancelled", CS, TARGET_NONE, IN_BOTH, true),
	ROW("notifications/elicitation/complete", S, TARGET_NONE, IN_LEGACY, true),
	ROW("notifications/initialized", C, TARGET_NONE, IN_LEGACY, true),
	ROW("notifications/message", S, TARGET_NONE, IN_BOTH, true),
	ROW("notifications/progress", CS, TARGET_NONE, IN_BOTH, true),
	ROW("notifications/prompts/list_changed", S, TARGET_NONE, IN_BOTH, true),
	ROW("notifications/resources/list_changed", S, TARGET_NONE, IN_BOTH, true),
	ROW("notifications/resources/updated", S, TARGET_RESOURCE, IN_BOTH, true),
	ROW("notifications/roots/list_changed", C, TARGET_NONE, IN_LEGACY, true),
	ROW("notifications/subscriptions/acknowledged", S, TARGET_NONE, IN_MODERN, true),
	ROW("notifications/tasks", S, TARGET_NONE, IN_MODERN, true),
	ROW("notifications/tasks/status", CS, TARGET_NONE, IN_LEGACY, true),
	ROW("notifications/tools/list_changed", S, TARGET_NONE, IN_BOTH, true),
	ROW("ping", CS, TARGET_NONE, IN_LEGACY, false),
	ROW("prompts/get", C, TARGET_PROMPT, IN_BOTH, true),
	ROW("prompts/list", C, TARGET_NONE, IN_BOTH, true),
	ROW("resources/list", C, TARGET_NONE, IN_BOTH, true),
	ROW("resources/read", C, TARGET_RESOURCE, IN_BOTH, true),
	ROW("resources/subscribe", C, TARGET_RESOURCE, IN_LEGACY, true),
	ROW("resources/templates/list", C, TARGET_NONE, IN_BOTH, true),
	ROW("resources/unsubscribe", C, TARGET_RESOURCE, IN_LEGACY, true),
	ROW("roots/list", S, TARGET_NONE, IN_LEGACY, true),
	ROW("sampling/createMessage", S, TARGET_NONE, IN_LEGACY, true),
	ROW("server/discover", C, TARGET_NONE, IN_MODERN, true),
	ROW("subscriptions/listen", C, TARGET_NONE, IN_MODERN, true),
	ROW("tasks/cancel", CS, TARGET_NONE, IN_BOTH, false),
	ROW("tasks/get", CS, TARGET_NONE, IN_BOTH, false),
	ROW("tasks/list", CS, TARGET_NONE, IN_LEGACY, false),
	ROW("tasks/result", CS, TARGET_NONE, IN_LEGACY, true),
	ROW("tasks/update", C, TARGET_NONE, IN_MODERN, true),
	ROW("tools/call", C, TARGET_TOOL, IN_BOTH, true),
	ROW("tools/list", C, TARGET_NONE, IN_BOTH, true),
};

static int compare(const void *key, const void *row)
{
	const struct sv *a = key;
	const struct sv *b = &((const struct method *)row)->name;
	int order = memcmp(a->p, b->p, a->n < b->n ? a->n : b->n);

	return order ? order : (a->n > b->n) - (a->n < b->n);
}

const struct method *method_find(struct sv name)
{
	if (name.n == 0)
		return NULL;
	return bsearch(&name, methods, sizeof(methods) / sizeof(methods[0]), sizeof(methods[0]), compare);
}

struct sv method_target(const struct method *me, const struct rpc_msg *rpc)
{
	const struct rpc_value *v;

	if (!me || me->target == TARGET_NONE)
		return (struct sv){ 0 };
	v = &rpc->f[me->target == TARGET_RESOURCE ? RPC_F_URI : RPC_F_NAME];
	return v->type == RPC_STRING ? v->text : (struct sv){ 0 };
}
