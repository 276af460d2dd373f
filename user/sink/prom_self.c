/* SPDX-License-Identifier: Apache-2.0 */
/* Families made of what the agent says of itself: where each value lies in struct prom_self, and what its labels are. */
#include "sink/prom_self.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/procfs.h"
#include "sink/prom_text.h"

#define LABELS_MAX 2048

/* One number, without labels. */
static const struct {
	enum metric_id id;
	size_t at;
} scalars[] = {
#define SELF(name, field)   { METRIC_##name, offsetof(struct prom_self, stats.field) }
#define SERIES(name, field) { METRIC_##name, offsetof(struct prom_self, series.field) }
	SELF(IN_FLIGHT, in_flight),
	SELF(SESSIONS, sessions),
	SELF(ALERTS_FIRING, alerts_firing),
	SELF(ALERTS_PENDING, alerts_pending),
	SELF(RING_SIZE, ring_bytes),
	SELF(RING_USED, ring_used),
	SELF(RECORDS, records),
	SELF(CONFIG_RELOADS, config_reloads),
	SELF(CONFIG_FAILURES, config_failures),
	SERIES(SERIES, series),
	SERIES(SERIES_CAPACITY, capacity),
	SERIES(SERIES_OVERFLOW, overflow),
	SERIES(SERIES_DROPPED, dropped),
	SERIES(SERIES_EXPIRED, expired),
	{ METRIC_CPU, offsetof(struct prom_self, cpu_ns) },
	{ METRIC_RESIDENT, offsetof(struct prom_self, resident_bytes) },
	{ METRIC_START_TIME, offsetof(struct prom_self, start_ns) },
};

struct sample {
	struct buf *out;
	const struct metric *m;
	struct buf labels;
	size_t n; /* labels of it so far */
};

static void add_label(struct sample *s, const char *value)
{
	char room[PROM_VALUE_MAX];
	uint8_t l = s->m->label[s->n++];

	if (value && value[0])
		prom_label(&s->labels, metric_label_name(s->m, l), prom_value(sv_of(value), room));
}

static void add_value(struct sample *s, uint64_t v)
{
	prom_sample(s->out, s->m, buf_sv(&s->labels), v);
	buf_reset(&s->labels);
	s->n = 0;
}

static void add_losses(struct sample *s, const struct prom_self *p)
{
	static const char *const names[C_N] = {
#define X(name, text, help) [C_##name] = text,
		KERNEL_COUNTERS(X) USER_COUNTERS(X)
#undef X
	};

	for (int i = 0; i < C_N; i++) {
		add_label(s, names[i]);
		add_value(s, p->stats.lost[i]);
	}
}

static void add_rules(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	static const char *const severity[] = { "notice", "high" };

	for (unsigned int i = 0; i < p->stats.rules; i++) {
		if (id == METRIC_LOOPS_ACTIVE) {
			add_label(s, p->stats.rule[i].name);
			add_value(s, p->stats.rule[i].active);
			continue;
		}
		for (int j = 0; j < 2; j++) {
			add_label(s, p->stats.rule[i].name);
			add_label(s, severity[j]);
			add_value(s, p->loop_alerts[i][j]);
		}
	}
}

static void add_progs(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	for (unsigned int i = 0; i < p->stats.progs; i++) {
		const struct self_prog *g = &p->stats.prog[i];

		if (!g->runs && (id == METRIC_PROG_RUNS || id == METRIC_PROG_SECONDS))
			continue; /* the kernel does not count */
		add_label(s, g->name);
		add_label(s, g->hook);
		add_value(s, id == METRIC_PROG_ATTACHED ? g->attached || g->loaded :
			     id == METRIC_PROG_MISSED	? g->missed :
			     id == METRIC_PROG_RUNS	? g->runs :
							  g->run_ns);
	}
}

static void add_tables(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	for (unsigned int i = 0; i < p->stats.tables; i++) {
		const struct self_table *t = &p->stats.table[i];

		add_label(s, t->name);
		add_value(s, id == METRIC_TABLE_ENTRIES ? t->n : id == METRIC_TABLE_CAPACITY ? t->max : t->evicted);
	}
}

static uint64_t of_sink(const struct self_sink *k, enum metric_id id)
{
	switch (id) {
	case METRIC_SINK_UP:
		return !k->failing;
	case METRIC_SINK_SENT:
		return k->sent;
	case METRIC_SINK_FAILED:
		return k->failed;
	case METRIC_SINK_DROPPED:
		return k->dropped;
	default:
		return k->queued;
	}
}

/* Two outputs may be called the same, two series may not. */
static unsigned int namesakes(const struct self_stats *s, unsigned int i)
{
	unsigned int n = 0;

	for (unsigned int j = 0; j < i; j++)
		n += strcmp(s->sink[j].name, s->sink[i].name) == 0;
	return n;
}

static void add_sinks(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	char name[sizeof(p->stats.sink[0].name) + 16];

	for (unsigned int i = 0; i < p->stats.sinks; i++) {
		unsigned int n = namesakes(&p->stats, i);

		snprintf(name, sizeof(name), n ? "%s #%u" : "%s", p->stats.sink[i].name, n + 1);
		add_label(s, name);
		add_value(s, of_sink(&p->stats.sink[i], id));
	}
}

static void add_label_overflow(struct sample *s, const struct prom_self *p)
{
	for (int i = LABEL_NONE + 1; i < LABEL_STORED; i++) {
		if (metric_labels[i].closed)
			continue;
		add_label(s, metric_labels[i].name);
		add_value(s, p->series.label_overflow[i]);
	}
}

static void add_listed(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	if (id >= METRIC_PROG_ATTACHED && id <= METRIC_PROG_SECONDS)
		add_progs(s, p, id);
	else if (id >= METRIC_TABLE_ENTRIES && id <= METRIC_TABLE_EVICTIONS)
		add_tables(s, p, id);
	else if (id >= METRIC_SINK_UP && id <= METRIC_SINK_QUEUED)
		add_sinks(s, p, id);
	else if (id == METRIC_LOOP_ALERTS || id == METRIC_LOOPS_ACTIVE)
		add_rules(s, p, id);
	else if (id == METRIC_LOST)
		add_losses(s, p);
	else if (id == METRIC_LABEL_OVERFLOW)
		add_label_overflow(s, p);
}

static void add_any(struct sample *s, const struct prom_self *p, enum metric_id id)
{
	switch (id) {
	case METRIC_BUILD:
		if (!p->stats.version)
			return; /* not said yet */
		add_label(s, p->stats.version);
		add_value(s, 1);
		return;
	case METRIC_CAPTURING:
		add_label(s, p->stats.tier);
		add_value(s, p->stats.capturing);
		return;
	case METRIC_CONFIG_OK:
		add_value(s, p->stats.config_ok);
		return;
	default:
		add_listed(s, p, id);
	}
}

void prom_self_family(struct buf *b, const struct prom_self *p, enum metric_id id)
{
	struct sample s = { .out = b, .m = &metric_table[id] };
	uint64_t v;

	for (size_t i = 0; i < sizeof(scalars) / sizeof(scalars[0]); i++) {
		if (scalars[i].id == id) {
			memcpy(&v, (const char *)p + scalars[i].at, sizeof(v));
			prom_sample(b, s.m, (struct sv){ 0 }, v);
			return;
		}
	}
	buf_init(&s.labels, LABELS_MAX);
	add_any(&s, p, id);
	buf_done(&s.labels);
}

void prom_self_process(struct prom_self *p)
{
	struct timespec ts = { 0 };
	unsigned long long pages = 0;
	FILE *f = fopen("/proc/self/statm", "re");

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	p->cpu_ns = (uint64_t)ts.tv_sec * NSEC_PER_SEC + (uint64_t)ts.tv_nsec;
	if (!f)
		return;
	if (fscanf(f, "%*u %llu", &pages) == 1)
		p->resident_bytes = pages * (uint64_t)sysconf(_SC_PAGESIZE);
	fclose(f);
}

uint64_t prom_self_start(int64_t wall_offset)
{
	int dir = procfs_dir(getpid());
	struct procfs_stat st;
	int err = dir < 0 ? dir : procfs_stat(dir, &st);

	if (dir >= 0)
		close(dir);
	return err ? 0 : st.start_ns + (uint64_t)wall_offset;
}
