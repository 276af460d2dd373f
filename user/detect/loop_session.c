/* SPDX-License-Identifier: Apache-2.0 */
/* Who is tracked. */
#include "detect/loop_session.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(sizeof(struct loop_session) + sizeof(struct track) <= 2560, "a session costs at most 2.5 KB");

int loop_table_init(struct loop_table *t, const struct loop_opts *o, const struct loop_ops *ops)
{
	int err;

	memset(t, 0, sizeof(*t));
	t->episodes.ops = *ops;
	err = table_init(&t->sessions, o->sessions);
	if (!err)
		err = table_init(&t->agents, o->agents);
	if (!err)
		err = order_pool_init(&t->pool, o->held);
	return err;
}

static void end_episode(struct loop_table *t, struct episode *x, uint64_t ts)
{
	if (x)
		episode_end(&t->episodes, x, ts);
}

static void track_end(struct loop_table *t, struct track *k, uint64_t ts)
{
	for (int i = 0; i < TRACK_SLOTS; i++)
		end_episode(t, k->episode[i], ts);
}

/* A loop is not over because its session is: its agent may begin another one. */
static void hand_over(struct loop_table *t, struct track *k)
{
	struct episode *x = k->episode[SLOT_HIGH], *silent;
	struct table_node *n = x && !x->silent ? table_peek(&t->agents, &x->agent, sizeof(x->agent)) : NULL;

	silent = n ? table_entry(n, struct loop_agent, node)->track.episode[SLOT_HIGH] : NULL;
	if (silent && silent->silent)
		episode_hand_over(&t->episodes, x, silent);
}

static void session_free(struct loop_table *t, struct loop_session *s, uint64_t ts)
{
	struct track *next;

	for (struct track *k = s->tracks; k; k = next) {
		next = k->next;
		hand_over(t, k);
		track_end(t, k, ts);
		free(k);
	}
	end_episode(t, s->over_budget, ts);
	end_episode(t, s->whole, ts);
	order_clear(&t->pool, &s->order);
	free(s->names->session);
	free(s->names->server);
	free(s->names->client);
	free(s->names);
	free(s);
}

static void agent_free(struct loop_table *t, struct loop_agent *a, uint64_t ts)
{
	track_end(t, &a->track, ts);
	free(a);
}

void loop_table_done(struct loop_table *t)
{
	episodes_done(&t->episodes);
	while (t->sessions.oldest) {
		struct loop_session *s = table_entry(t->sessions.oldest, struct loop_session, node);

		table_del(&t->sessions, &s->node);
		session_free(t, s, 0);
	}
	while (t->agents.oldest) {
		struct loop_agent *a = table_entry(t->agents.oldest, struct loop_agent, node);

		table_del(&t->agents, &a->node);
		agent_free(t, a, 0);
	}
	table_done(&t->sessions);
	table_done(&t->agents);
	order_pool_done(&t->pool);
}

struct loop_session *loop_session_find(struct loop_table *t, uint64_t no)
{
	struct table_node *n = t->sessions.newest;

	/* The end of a call often follows its begin. */
	if (n && table_entry(n, struct loop_session, node)->no == no)
		return table_entry(n, struct loop_session, node);
	n = table_get(&t->sessions, &no, sizeof(no));
	return n ? table_entry(n, struct loop_session, node) : NULL;
}

static void fill(char **name, const char *from)
{
	if (!*name && from)
		*name = strdup(from);
}

static struct loop_session *session_new(struct loop_table *t, const struct call *c)
{
	struct loop_session *s = calloc(1, sizeof(*s));
	struct table_node *evicted;

	if (s)
		s->names = calloc(1, sizeof(*s->names));
	if (!s || !s->names) {
		t->no_memory++;
		free(s);
		return NULL;
	}
	s->no = c->session_no;
	s->order.owner = s;
	s->names->route = c->route;
	evicted = table_add(&t->sessions, &s->node, &s->no, sizeof(s->no));
	if (evicted)
		session_free(t, table_entry(evicted, struct loop_session, node), c->ts);
	return s;
}

struct loop_session *loop_session_of(struct loop_table *t, const struct call *c, const struct loop_who *who)
{
	struct loop_session *s = loop_session_find(t, c->session_no);

	if (!s)
		s = session_new(t, c);
	if (!s)
		return NULL;
	fill(&s->names->session, c->session);
	fill(&s->names->server, who->server);
	fill(&s->names->client, who->client);
	return s;
}

void loop_session_end(struct loop_table *t, struct loop_session *s, uint64_t ts)
{
	table_del(&t->sessions, &s->node);
	session_free(t, s, ts);
}

struct track *loop_session_track(struct loop_table *t, struct loop_session *s, uint64_t lane, uint64_t ts)
{
	struct track **at = &s->tracks, *k;
	int n = 0;

	for (; *at && (*at)->lane != lane && n < SESSION_LANES - 1; n++)
		at = &(*at)->next;
	k = *at;
	if (k) {
		*at = k->next;
		if (k->lane != lane) { /* the oldest makes room */
			track_end(t, k, ts);
			memset(k, 0, sizeof(*k));
		}
	} else {
		k = calloc(1, sizeof(*k));
	}
	if (!k) {
		t->no_memory++;
		return NULL;
	}
	k->lane = lane;
	k->next = s->tracks;
	s->tracks = k;
	return k;
}

struct track *loop_agent_track(struct loop_table *t, uint64_t id, uint64_t ts)
{
	struct table_node *n = t->agents.newest;
	struct loop_agent *a;

	if (!n || table_entry(n, struct loop_agent, node)->id != id)
		n = table_get(&t->agents, &id, sizeof(id));
	if (n)
		return &table_entry(n, struct loop_agent, node)->track;
	a = calloc(1, sizeof(*a));
	if (!a) {
		t->no_memory++;
		return NULL;
	}
	a->id = id;
	a->track.agent = true;
	n = table_add(&t->agents, &a->node, &a->id, sizeof(a->id));
	if (n)
		agent_free(t, table_entry(n, struct loop_agent, node), ts);
	return &a->track;
}
