/* SPDX-License-Identifier: Apache-2.0 */
/* Prometheus output. The capture loop updates, the server's thread renders; one lock between them, held for one update
 * or for about 16 KiB of page. So a page is no snapshot, but each series in it is, and no series is in it twice. */
#include "sink/prom.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "sink/httpd.h"
#include "sink/prom_rows.h"
#include "sink/prom_self.h"

#define CHUNK	 16384
#define PAGE_MAX (1 << 20)		   /* of one chunk: a series with the longest labels many times over */
#define SILENT_NS (30 * NSEC_PER_SEC)

struct prom {
	pthread_mutex_t lock; /* of all below but httpd */
	struct metrics *m;
	struct prom_rows rows;
	struct prom_self self;
	uint64_t told; /* boot ns of the last prom_self() */
	struct httpd *httpd;
};

void prom_opts_default(struct prom_opts *o)
{
	*o = (struct prom_opts){
		.listen = "127.0.0.1:9464",
		.series = 4096,
		.label_values = 512,
		.client_values = 64,
		.expire_ns = 600 * NSEC_PER_SEC,
	};
}

/* Pages. */

struct page {
	struct prom *p;
	bool openmetrics;
	struct prom_self self; /* a copy, so that those families agree with each other */
	int id;		       /* family under way, METRIC_N: all done, only # EOF is left */
	bool head;	       /* its head is out */
	uint32_t slot;	       /* next of it */
	bool end;
	struct buf out;
	size_t taken; /* of out */
};

static void render_series(struct page *g, const struct metric_series *s)
{
	const struct metric *m = &metric_table[s->id];
	struct prom_histogram h = { s->bucket, s->v, g->openmetrics ? s->exemplar : NULL };

	if (m->type == METRIC_HISTOGRAM)
		prom_histogram(&g->out, m, s->labels, &h);
	else
		prom_sample(&g->out, m, s->labels, s->v);
}

static void render_next(struct page *g)
{
	const struct metric_series *s;

	if (!g->head) {
		prom_head(&g->out, &metric_table[g->id], g->openmetrics);
		g->head = true;
		g->slot = 0;
	}
	s = g->id < METRIC_STORED ? metrics_next(g->p->m, (enum metric_id)g->id, g->slot) : NULL;
	if (s) {
		render_series(g, s);
		g->slot = s->slot + 1;
		return;
	}
	if (g->id >= METRIC_STORED)
		prom_self_family(&g->out, &g->self, (enum metric_id)g->id);
	g->id++;
	g->head = false;
}

static void render_chunk(struct page *g)
{
	buf_reset(&g->out);
	g->taken = 0;
	pthread_mutex_lock(&g->p->lock);
	while (g->id < METRIC_N && g->out.n < CHUNK)
		render_next(g);
	pthread_mutex_unlock(&g->p->lock);
	if (g->id == METRIC_N && !g->end) {
		if (g->openmetrics)
			buf_add_str(&g->out, "# EOF\n");
		g->end = true;
	}
}

static ssize_t page_read(void *body, char *to, size_t max)
{
	struct page *g = body;
	size_t n;

	if (g->taken == g->out.n && !g->end)
		render_chunk(g);
	n = g->out.n - g->taken;
	n = n < max ? n : max;
	if (n)
		memcpy(to, g->out.p + g->taken, n);
	g->taken += n;
	return (ssize_t)n;
}

static void page_free(void *body)
{
	struct page *g = body;

	buf_done(&g->out);
	free(g);
}

static struct page *page_new(struct prom *p)
{
	struct page *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	g->p = p;
	buf_init(&g->out, PAGE_MAX);
	return g;
}

static int get_metrics(struct prom *p, const char *accept, struct httpd_answer *ret)
{
	struct page *g = page_new(p);

	if (!g)
		return -ENOMEM;
	g->openmetrics = prom_wants_openmetrics(accept);
	pthread_mutex_lock(&p->lock);
	g->self = p->self;
	metrics_stats(p->m, &g->self.series);
	pthread_mutex_unlock(&p->lock);
	prom_self_process(&g->self);
	*ret = (struct httpd_answer){ .status = 200, .read = page_read, .free = page_free, .body = g };
	ret->type = g->openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8" :
				     "text/plain; version=0.0.4; charset=utf-8";
	return 0;
}

/* The main loop tells its state each second. One that hangs is not healthy. */
static bool silent(const struct prom *p, uint64_t now)
{
	return now > p->told && now - p->told > SILENT_NS;
}

static void say_ready(const struct prom *p, uint64_t now, struct buf *out)
{
	const struct self_stats *s = &p->self.stats;

	if (silent(p, now))
		buf_addf(out, "main loop: silent for %llu s\n", (unsigned long long)((now - p->told) / NSEC_PER_SEC));
	if (!s->capturing)
		buf_add_str(out, "capture: not on\n");
	for (unsigned int i = 0; i < s->sinks; i++)
		if (s->sink[i].failing)
			buf_addf(out, "output failing: %s\n", s->sink[i].name);
}

/* /healthz and /readyz: "ok", or why not, a reason a line. */
static int get_state(struct prom *p, bool ready, struct httpd_answer *ret)
{
	uint64_t now = clock_boot_ns();
	struct page *g = page_new(p);

	if (!g)
		return -ENOMEM;
	g->end = true; /* all of it is there */
	pthread_mutex_lock(&p->lock);
	if (ready)
		say_ready(p, now, &g->out);
	else if (silent(p, now))
		buf_add_str(&g->out, "main loop: silent\n");
	pthread_mutex_unlock(&p->lock);
	*ret = (struct httpd_answer){ 200, "text/plain; charset=utf-8", page_read, page_free, g };
	if (g->out.n)
		ret->status = 503;
	else
		buf_add_str(&g->out, "ok\n");
	return 0;
}

static int on_get(void *ctx, const char *path, const char *accept, struct httpd_answer *ret)
{
	struct prom *p = ctx;

	if (strcmp(path, "/metrics") == 0)
		return get_metrics(p, accept, ret);
	if (strcmp(path, "/healthz") == 0)
		return get_state(p, false, ret);
	if (strcmp(path, "/readyz") == 0)
		return get_state(p, true, ret);
	return -ENOENT;
}

/* Rows of the sink. */

static void prom_call(void *self, const struct call *c, const struct sink_peers *peers)
{
	struct prom *p = self;

	pthread_mutex_lock(&p->lock);
	prom_rows_call(&p->rows, c, peers);
	pthread_mutex_unlock(&p->lock);
}

static void prom_logical(void *self, const struct logical *l, const struct sink_peers *peers)
{
	struct prom *p = self;

	pthread_mutex_lock(&p->lock);
	prom_rows_logical(&p->rows, l, peers);
	pthread_mutex_unlock(&p->lock);
}

static void prom_note(void *self, const struct note *n, const struct sink_peers *peers)
{
	struct prom *p = self;

	pthread_mutex_lock(&p->lock);
	prom_rows_note(&p->rows, n, peers);
	pthread_mutex_unlock(&p->lock);
}

static void prom_session(void *self, const struct session_event *e, const struct sink_peers *peers)
{
	struct prom *p = self;

	pthread_mutex_lock(&p->lock);
	prom_rows_session(&p->rows, e, peers);
	pthread_mutex_unlock(&p->lock);
}

static void prom_finding(void *self, const struct finding *f, const struct sink_peers *peers)
{
	struct prom *p = self;

	(void)peers;
	pthread_mutex_lock(&p->lock);
	prom_rows_finding(&p->rows, f);
	pthread_mutex_unlock(&p->lock);
}

/* A rule of loop detection is one that the agent names in its state. */
static void count_loop(struct prom_self *s, const struct alert *a)
{
	for (unsigned int i = 0; i < s->stats.rules; i++)
		if (strcmp(s->stats.rule[i].name, a->rule) == 0)
			s->loop_alerts[i][a->severity == ALERT_HIGH]++;
}

static void prom_alert(void *self, const struct alert *a, const struct sink_peers *peers)
{
	struct prom *p = self;

	(void)peers;
	pthread_mutex_lock(&p->lock);
	if (prom_rows_alert(&p->rows, a) && a->rule)
		count_loop(&p->self, a);
	pthread_mutex_unlock(&p->lock);
}

void prom_self(struct prom *p, const struct self_stats *s)
{
	uint64_t now = clock_boot_ns();

	pthread_mutex_lock(&p->lock);
	p->self.stats = *s;
	p->told = now;
	metrics_expire(p->m, s->now);
	pthread_mutex_unlock(&p->lock);
	httpd_tick(p->httpd);
}

static void prom_free(void *self)
{
	struct prom *p = self;

	httpd_free(p->httpd); /* first: its thread reads the rest */
	prom_rows_done(&p->rows);
	metrics_free(p->m);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

const struct sink_ops prom_ops = {
	.call = prom_call,
	.logical = prom_logical,
	.note = prom_note,
	.session = prom_session,
	.finding = prom_finding,
	.alert = prom_alert,
	.free = prom_free,
};

struct prom *prom_new(const struct prom_opts *o)
{
	struct metrics_opts mo = { o->series, o->label_values, o->client_values, o->expire_ns };
	struct prom *p = calloc(1, sizeof(*p));
	int64_t wall = clock_wall_offset_ns();

	if (!p)
		return NULL;
	pthread_mutex_init(&p->lock, NULL);
	p->told = clock_boot_ns();
	p->self.start_ns = prom_self_start(wall);
	p->m = metrics_new(&mo);
	if (!p->m || prom_rows_init(&p->rows, p->m, wall)) {
		prom_free(p);
		errno = ENOMEM;
		return NULL;
	}
	p->httpd = httpd_new(o->listen, on_get, p);
	if (p->httpd)
		return p;
	wall = errno;
	prom_free(p);
	errno = (int)wall;
	return NULL;
}

uint16_t prom_port(const struct prom *p)
{
	return httpd_port(p->httpd);
}
