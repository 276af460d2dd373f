/* SPDX-License-Identifier: Apache-2.0 */
/* Servers that hang or die.
 *
 * A disposable sibling that a client probes is never sent an initialize, and thus never said to hang. */
#include "mcp/hang.h"

#include "mcp/report.h"

#define PATIENCE_NS 30000000000ULL

void hang_asked(struct mcp *m, struct pending *p)
{
	p->asked_at = p->begin ? p->begin : m->now;
	list_add(&m->inflight.greetings, &p->greeting);
}

static void tell(struct mcp *m, struct pending *p, uint64_t now)
{
	struct session *s = p->s;

	list_del(&p->greeting);
	if (s->init_told)
		return;
	s->init_told = true;
	if (!s->provisional)
		session_start(m, s);
	report_unanswered(m, s, now > p->asked_at ? now - p->asked_at : 0);
}

void hang_tick(struct mcp *m)
{
	struct list *greetings = &m->inflight.greetings;

	while (!list_empty(greetings)) {
		struct pending *p = list_entry(greetings->next, struct pending, greeting);

		if (p->asked_at + PATIENCE_NS > m->now)
			return;
		tell(m, p, m->now);
	}
}

/* That we stop looking, or have no room, says nothing of the server. */
static bool is_ours(const char *reason)
{
	return sv_eq(sv_of(reason), SV("shutdown")) || sv_eq(sv_of(reason), SV("idle"));
}

uint32_t hang_session_end(struct mcp *m, struct session *s, uint64_t ts, const char *reason)
{
	uint32_t n = 0;

	if (is_ours(reason) || (!s->server_died && s->startup_ns))
		return 0;
	for (struct list *l = s->pending.next; l != &s->pending; l = l->next) {
		struct pending *p = list_entry(l, struct pending, in_session);

		if (p->initialize && !p->broken.at)
			tell(m, p, ts);
		else if (p->asker == SIDE_CLIENT && !p->cancel_at)
			n++;
	}
	return s->server_died ? n : 0;
}
