/* SPDX-License-Identifier: Apache-2.0 */
/* By what a rule counts. */
#include "detect/alerts_key.h"

#include <string.h>

#include "base/hash.h"

static uint64_t hash_of(const char *s)
{
	return s ? hash_bytes(s, strlen(s)) : 0;
}

/* What is new is a server, or a tool of one, whatever the rule is counted by. */
static uint8_t kind_of(const struct rule *r)
{
	return r->metric == RULE_NEW_SERVER ? RULE_BY_SERVER : r->metric == RULE_NEW_TOOL ? RULE_BY_TOOL : r->by;
}

static uint64_t owner_of(const struct call *c)
{
	if (c->agent)
		return c->agent;
	return c->route.client.pid ? hash_bytes(&c->route.client, sizeof(c->route.client)) : 0;
}

bool rule_key_of_call(const struct rule *r, const struct call *c, const struct rule_names *n, struct count_key *ret)
{
	struct series_names *names = &ret->names;
	uint64_t h[3] = { kind_of(r), 1 };

	*names = (struct series_names){ .owner = owner_of(c) };
	switch (kind_of(r)) {
	case RULE_BY_CLIENT:
		names->client = n->client;
		h[1] = hash_of(n->client);
		break;
	case RULE_BY_SERVER:
		names->server = n->server;
		h[1] = hash_of(n->server);
		break;
	case RULE_BY_TOOL:
		names->tool = c->tool;
		names->server = n->server;
		h[1] = hash_of(c->tool);
		h[2] = hash_of(n->server);
		break;
	case RULE_BY_SESSION:
		names->session = c->session;
		names->server = n->server;
		names->client = n->client;
		h[1] = c->session_no ? c->session_no : hash_of(c->session);
		break;
	default:
		break;
	}
	ret->hash = hash_bytes(h, sizeof(h));
	return h[1] != 0;
}

bool rule_key_of_finding(const struct rule *r, const struct finding *f, struct count_key *ret)
{
	const char *session = r->by == RULE_BY_SESSION ? f->session : NULL;
	uint64_t h[2] = { hash_of(f->name), hash_of(session) };

	ret->names = (struct series_names){ .session = session, .finding = f->name };
	ret->hash = hash_bytes(h, sizeof(h));
	return session || r->by != RULE_BY_SESSION;
}
