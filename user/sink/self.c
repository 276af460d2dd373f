/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says of itself, as doctor prints it. */
#include "sink/self.h"

#include <inttypes.h>

#include "base/jsonw.h"
#include "base/num.h"

void self_show_progs(const struct self_stats *s, struct buf *out)
{
	buf_addf(out, "\ntier        %s\n", s->tier ? s->tier : "none");
	for (unsigned int i = 0; i < s->progs; i++) {
		const struct self_prog *p = &s->prog[i];

		buf_addf(out, "  %-16s %-36s %s, %" PRIu64 " runs missed", p->name, p->hook,
			 p->attached ? "attached" : p->loaded ? "loaded" : "not for this kernel", p->missed);
		if (p->runs)
			buf_addf(out, ", %" PRIu64 " runs of %" PRIu64 "ns", p->runs, p->run_ns / p->runs);
		buf_add_ch(out, '\n');
	}
	if (s->tls_why[0])
		buf_addf(out, "  TLS connections are not read: %s\n", s->tls_why);
}

void self_show_losses(const struct self_stats *s, const char *since, struct buf *out)
{
	static const struct {
		const char *name, *help;
	} info[C_N] = {
#define X(name, text, help) [C_##name] = { text, help },
		KERNEL_COUNTERS(X) USER_COUNTERS(X)
#undef X
	};

	buf_addf(out, "\nlosses %s\n", since);
	for (int i = 0; i < C_N; i++)
		buf_addf(out, "  %-22s %10" PRIu64 "  %s\n", info[i].name, s->lost[i], info[i].help);
}

static void show_tables(const struct self_stats *s, struct buf *out)
{
	buf_add_str(out, "\ntables\n");
	for (unsigned int i = 0; i < s->tables; i++) {
		const struct self_table *t = &s->table[i];

		buf_addf(out, "  %-22s %10" PRIu64 " of %" PRIu64 ", %" PRIu64 " evicted\n", t->name, t->n, t->max,
			 t->evicted);
	}
}

static void show_sinks(const struct self_stats *s, struct buf *out)
{
	buf_add_str(out, "\noutputs\n");
	if (!s->sinks)
		buf_add_str(out, "  none that can fail\n");
	for (unsigned int i = 0; i < s->sinks; i++) {
		const struct self_sink *o = &s->sink[i];

		buf_add_str(out, "  ");
		text_safe(out, sv_of(o->name), sizeof(o->name));
		buf_addf(out, "  %s; %" PRIu64 " sent, %" PRIu64 " failed, %" PRIu64 " dropped, %" PRIu64 " waiting\n",
			 o->failing ? "FAILING" : "works", o->sent, o->failed, o->dropped, o->queued);
	}
}

static void show_alerts(const struct self_stats *s, struct buf *out)
{
	buf_addf(out, "\nalerts      %" PRIu64 " firing, %" PRIu64 " pending\n", s->alerts_firing, s->alerts_pending);
	for (unsigned int i = 0; i < s->rules; i++) {
		if (s->rule[i].active)
			buf_addf(out, "  %-22s %10" PRIu64 "\n", s->rule[i].name, s->rule[i].active);
	}
}

void self_show(const struct self_stats *s, struct buf *out)
{
	char used[16], all[16];

	if (s->version)
		buf_addf(out, "version     %s\n", s->version);
	buf_addf(out, "capture     %s\n", s->capturing ? "on" : "not on yet");
	buf_addf(out, "config      %s, reloaded %" PRIu64 " times, refused %" PRIu64 " times\n",
		 s->config_ok ? "as in its file" : "its file was refused: the one before is in force",
		 s->config_reloads, s->config_failures);
	num_show_bytes(s->ring_used, used);
	num_show_bytes(s->ring_bytes, all);
	buf_addf(out, "rings       %s of %s in use, %" PRIu64 " records so far\n", used, all, s->records);
	buf_addf(out, "MCP         %" PRIu64 " sessions, %" PRIu64 " requests in flight\n", s->sessions, s->in_flight);
	show_alerts(s, out);
	show_sinks(s, out);
	show_tables(s, out);
	self_show_progs(s, out);
	self_show_losses(s, "since it started", out);
}
