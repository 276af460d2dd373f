/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says of itself, gathered. */
#include "agent_self.h"

#include <stdio.h>
#include <string.h>

#include "agent_live.h"
#include "base/clock.h"
#include "ident/who.h"
#include "pipeline.h"
#include "probe/probe.h"
#include "version.h"

static void self_progs(struct self_stats *s, struct probe *probe)
{
	struct probe_prog progs[PROBE_PROGS_MAX];
	unsigned int n = probe_progs(probe, progs);

	snprintf(s->tls_why, sizeof(s->tls_why), "%s", probe_tls_why(probe));
	s->progs = n < SELF_PROGS ? n : SELF_PROGS;
	for (unsigned int i = 0; i < s->progs; i++) {
		struct self_prog *p = &s->prog[i];

		snprintf(p->name, sizeof(p->name), "%s", progs[i].name);
		snprintf(p->hook, sizeof(p->hook), "%s", progs[i].hook);
		p->attached = progs[i].attached;
		p->loaded = progs[i].loaded;
		p->missed = progs[i].missed;
		p->runs = progs[i].runs;
		p->run_ns = progs[i].run_ns;
	}
}

static void self_table_add(struct self_stats *s, struct self_table t)
{
	if (s->tables < SELF_TABLES)
		s->table[s->tables++] = t;
}

static void self_loops(struct self_stats *s, struct facts *f, const struct facts_opts *o)
{
	struct loops_stats l;
	struct alerts_stats a;

	loops_stats(facts_loops(f), &l);
	alerts_stats(facts_alerts(f), &a);
	self_table_add(s, (struct self_table){ "loop_sessions", l.sessions, o->loops.sessions, l.sessions_evicted });
	self_table_add(s, (struct self_table){ "loop_agents", l.agents, o->loops.agents, l.agents_evicted });
	self_table_add(s, (struct self_table){ "loop_held", l.held, o->loops.held, l.held_dropped });
	s->rules = LOOP_N < SELF_RULES ? LOOP_N : SELF_RULES;
	for (unsigned int i = 0; i < s->rules; i++)
		s->rule[i] = (struct self_rule){ loop_rule_names[i], l.active[i] };
	s->alerts_firing = a.firing;
	s->alerts_pending = a.pending;
}

void agent_self(const struct agent *a, const struct facts_opts *o, struct self_stats *s)
{
	struct facts *f = pipeline_facts(a->pipe);
	struct idents_stats i;
	struct mcp_stats m;

	s->version = MCPVIGIL_VERSION;
	s->now = clock_boot_ns();
	s->capturing = a->started != 0;
	s->tier = probe_tier(a->probe);
	s->records = a->records;
	probe_rings(a->probe, &s->ring_bytes, &s->ring_used);
	pipeline_lost(a->pipe, a->kernel, s->lost);
	self_progs(s, a->probe);
	mcp_stats(facts_mcp(f), &m);
	s->sessions = m.sessions;
	s->in_flight = m.in_flight;
	s->tables = 0;
	self_table_add(s, (struct self_table){ "sessions", m.sessions, o->caps.sessions, m.sessions_evicted });
	self_table_add(s, (struct self_table){ "in_flight", m.in_flight, o->caps.in_flight, m.in_flight_evicted });
	idents_stats(pipeline_idents(a->pipe), &i);
	self_table_add(s, (struct self_table){ "processes", i.processes, i.processes_max, i.evicted });
	self_table_add(s, (struct self_table){ "agents", i.agents, i.agents_max, i.agents_evicted });
	self_loops(s, f, o);
}
