/* SPDX-License-Identifier: Apache-2.0 */
/* Thresholds by rule, override and kind of tool. */
#include "detect/policy.h"

#include <string.h>

#include "base/hash.h"
#include "detect/name_class.h"

static bool fits(const char *pattern, const char *s)
{
	size_t n = strlen(pattern);

	if (!n)
		return true;
	if (!s)
		return false;
	if (pattern[n - 1] == '*')
		return !strncmp(pattern, s, n - 1);
	return !strcmp(pattern, s);
}

_Static_assert(LOOP_N <= 32, "a set of rules is 32 bits");

/* What of a call that did not fail comes again. The rest is pace, pages, failures, and what is counted for a session as
 * a whole; cycles are told by more than one count. */
static bool counts_again(enum loop_rule rule)
{
	static const uint32_t others = 1U << LOOP_CALL_STORM | 1U << LOOP_SPAWN_STORM | 1U << LOOP_PAGING |
				       1U << LOOP_SAME_ERROR | 1U << LOOP_SAME_FAILS | 1U << LOOP_ERROR_STREAK |
				       1U << LOOP_ERROR_WINDOW | 1U << LOOP_ERROR_STORM | 1U << LOOP_FAN_OUT |
				       1U << LOOP_STUCK_CURSOR | 1U << LOOP_SESSION_BUDGET | 1U << LOOP_CYCLE;

	return !(others >> rule & 1);
}

static void least_of(struct limits *l, enum loop_rule rule)
{
	for (int poll = 0; poll < 2; poll++)
		if (counts_again(rule) && l->at[poll][rule] && l->at[poll][rule] < l->least)
			l->least = l->at[poll][rule];
}

static void row_set(struct policy *p, unsigned int row, const struct loop_override *v)
{
	struct limits *l = &p->limits[row];

	l->least = UINT16_MAX;
	for (int rule = 0; rule < LOOP_N; rule++) {
		uint16_t plain = p->o.threshold[rule], poll = p->o.poll_threshold[rule];

		if (v && v->threshold[rule])
			plain = poll = v->threshold[rule];
		if (p->o.off[rule] || (v && v->off[rule]))
			plain = poll = 0;
		l->at[0][rule] = plain;
		l->at[1][rule] = poll;
		least_of(l, rule);
	}
}

void policy_set(struct policy *p, const struct loop_opts *o)
{
	p->o = *o;
	if (p->o.overrides > LOOP_OVERRIDES)
		p->o.overrides = LOOP_OVERRIDES;
	memset(p->names, 0, sizeof(p->names));
	row_set(p, 0, NULL);
	for (unsigned int i = 0; i < p->o.overrides; i++)
		row_set(p, i + 1, &p->o.override[i]);
}

static uint8_t row_of(const struct policy *p, const char *tool, const char *server)
{
	for (unsigned int i = 0; i < p->o.overrides; i++)
		if (fits(p->o.override[i].server, server) && fits(p->o.override[i].tool, tool))
			return (uint8_t)(i + 1);
	return 0;
}

static uint8_t class_of(const struct policy *p, const char *tool, uint8_t row)
{
	uint8_t class = name_class(sv_of(tool));
	const struct loop_override *v = row ? &p->o.override[row - 1] : NULL;

	if (v && v->poll)
		class = v->poll > 0 ? class | NAME_POLL : class & ~NAME_POLL;
	if (v && v->read)
		class = v->read > 0 ? (class | NAME_READ) & ~NAME_WRITE : class & ~NAME_READ;
	return class;
}

void policy_apply(struct policy *p, struct step *s, const struct call *c, const char *server)
{
	const char *tool = c->tool ? c->tool : "";
	uint64_t key = s->tool;
	unsigned int at;

	if (p->o.overrides && server)
		key ^= hash_bytes(server, strlen(server)) << 1;
	at = (unsigned int)(key >> 32) % POLICY_NAMES;
	if (p->names[at].key != key) {
		p->names[at].key = key;
		p->names[at].row = row_of(p, tool, server);
		p->names[at].class = class_of(p, tool, p->names[at].row);
	}
	s->row = p->names[at].row;
	s->class = p->names[at].class;
	if (c->marks.read_only && !(s->row && p->o.override[s->row - 1].read))
		s->class = (s->class | NAME_READ) & ~NAME_WRITE;
}
