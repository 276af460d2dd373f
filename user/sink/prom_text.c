/* SPDX-License-Identifier: Apache-2.0 */
/* Exposition: text 0.0.4 and OpenMetrics 1.0. They differ in the head of a family, in exemplars and in the end. */
#include "sink/prom_text.h"

#include "base/utf8.h"

static const char replaced[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char cut[] = "\xe2\x80\xa6";      /* U+2026 */

static bool plain(struct sv s)
{
	for (size_t i = 0; i < s.n; i++)
		if ((unsigned char)s.p[i] < 0x20 || (unsigned char)s.p[i] >= 0x7f)
			return false;
	return true;
}

struct sv prom_value(struct sv raw, char room[PROM_VALUE_MAX])
{
	size_t n = 0, fits = 0; /* fits: what may stay where the mark of a cut comes behind it */
	uint32_t cp;

	if (raw.n <= PROM_VALUE_MAX && plain(raw))
		return raw;
	while (raw.n) {
		size_t len = utf8_next(raw, &cp);
		bool bad = cp == UTF8_INVALID || (utf8_control(cp) && cp != '\n');
		struct sv out = bad ? SV(replaced) : (struct sv){ raw.p, len };

		if (n + out.n > PROM_VALUE_MAX) {
			memcpy(room + fits, cut, sizeof(cut) - 1);
			return (struct sv){ room, fits + sizeof(cut) - 1 };
		}
		memcpy(room + n, out.p, out.n);
		n += out.n;
		if (n <= PROM_VALUE_MAX - (sizeof(cut) - 1))
			fits = n;
		raw.p += len;
		raw.n -= len;
	}
	return (struct sv){ room, n };
}

void prom_label(struct buf *b, const char *name, struct sv value)
{
	if (b->n)
		buf_add_ch(b, ',');
	buf_add_str(b, name);
	buf_add_str(b, "=\"");
	for (size_t i = 0; i < value.n; i++) {
		if (value.p[i] == '\n')
			buf_add_str(b, "\\n");
		else if (value.p[i] == '"' || value.p[i] == '\\')
			buf_add(b, (char[]){ '\\', value.p[i] }, 2);
		else
			buf_add_ch(b, value.p[i]);
	}
	buf_add_ch(b, '"');
}

/* Accept (RFC 9110 12.5.1). */

/* The part of @s before @sep, trimmed; @s goes on behind it. */
static struct sv part(struct sv *s, char sep)
{
	const char *end = memchr(s->p, sep, s->n);
	struct sv ret = { s->p, end ? (size_t)(end - s->p) : s->n };

	s->p += ret.n + (end ? 1 : 0);
	s->n -= ret.n + (end ? 1 : 0);
	return sv_trim(ret);
}

/* "0.75" in thousandths; what is no quality is 0. */
static unsigned int quality(struct sv s)
{
	unsigned int v = 0, digits = 0;

	if (s.n > 5 || !s.n || (s.n > 1 && s.p[1] != '.'))
		return 0;
	for (size_t i = 0; i < s.n; i++) {
		if (i == 1)
			continue;
		if (s.p[i] < '0' || s.p[i] > '9')
			return 0;
		v = v * 10 + (unsigned int)(s.p[i] - '0');
		digits++;
	}
	for (; digits < 4; digits++)
		v *= 10;
	return v <= 1000 ? v : 0;
}

struct accepted {
	unsigned int openmetrics, text;
};

static void accept_one(struct accepted *a, struct sv range)
{
	struct sv type = part(&range, ';');
	unsigned int q = 1000, *best = NULL;
	bool version = true;

	while (range.n) {
		struct sv value = part(&range, ';');
		struct sv name = part(&value, '=');

		if (sv_ieq(name, SV("q")))
			q = quality(sv_trim(value));
		else if (sv_ieq(name, SV("version")))
			version = sv_eq(sv_trim(value), SV("1.0.0"));
	}
	if (sv_ieq(type, SV("application/openmetrics-text")) && version)
		best = &a->openmetrics;
	else if (sv_ieq(type, SV("text/plain")) || sv_ieq(type, SV("text/*")) || sv_ieq(type, SV("*/*")))
		best = &a->text;
	if (best && q > *best)
		*best = q;
}

bool prom_wants_openmetrics(const char *accept)
{
	struct sv rest = sv_of(accept);
	struct accepted a = { 0 };

	while (rest.n)
		accept_one(&a, part(&rest, ','));
	return a.openmetrics && a.openmetrics >= a.text;
}

/* Samples. */

static void digits(struct buf *b, uint64_t v)
{
	char s[20];
	size_t at = sizeof(s);

	do {
		s[--at] = (char)('0' + v % 10);
		v /= 10;
	} while (v);
	buf_add(b, s + at, sizeof(s) - at);
}

void prom_number(struct buf *b, uint64_t v, bool nanoseconds)
{
	uint64_t fraction = v % 1000000000;
	char s[9];
	size_t n = sizeof(s);

	digits(b, nanoseconds ? v / 1000000000 : v);
	if (!nanoseconds || !fraction)
		return;
	for (size_t i = sizeof(s); i > 0; i--, fraction /= 10)
		s[i - 1] = (char)('0' + fraction % 10);
	while (s[n - 1] == '0')
		n--;
	buf_add_ch(b, '.');
	buf_add(b, s, n);
}

void prom_head(struct buf *b, const struct metric *m, bool openmetrics)
{
	/* In the text format a family is called as its samples are, and there is no type "info". */
	const char *suffix = openmetrics ? "" : metric_suffix(m);
	bool info = m->type == METRIC_INFO && !openmetrics;

	buf_addf(b, "# HELP %s%s %s\n", m->name, suffix, m->help);
	buf_addf(b, "# TYPE %s%s %s\n", m->name, suffix, info ? "gauge" : metric_type_names[m->type]);
	if (openmetrics && m->unit[0])
		buf_addf(b, "# UNIT %s %s\n", m->name, m->unit);
}

static void series(struct buf *b, const struct metric *m, const char *suffix, struct sv labels)
{
	buf_add_str(b, m->name);
	buf_add_str(b, suffix);
	if (labels.n) {
		buf_add_ch(b, '{');
		buf_add_sv(b, labels);
		buf_add_ch(b, '}');
	}
	buf_add_ch(b, ' ');
}

void prom_sample(struct buf *b, const struct metric *m, struct sv labels, uint64_t v)
{
	series(b, m, metric_suffix(m), labels);
	prom_number(b, v, m->nanoseconds);
	buf_add_ch(b, '\n');
}

static void exemplar(struct buf *b, const struct metric *m, const struct prom_exemplar *e)
{
	if (!e->trace_id[0])
		return;
	buf_addf(b, " # {trace_id=\"%s\"", e->trace_id);
	if (e->span_id[0])
		buf_addf(b, ",span_id=\"%s\"", e->span_id);
	buf_add_str(b, "} ");
	prom_number(b, e->v, m->nanoseconds);
	buf_add_ch(b, ' ');
	prom_number(b, e->wall_ns, true);
}

static void bucket(struct buf *b, const struct metric *m, struct sv labels, const char *le)
{
	buf_add_str(b, m->name);
	buf_add_str(b, "_bucket{");
	buf_add_sv(b, labels);
	buf_add_str(b, labels.n ? ",le=\"" : "le=\"");
	buf_add_str(b, le);
	buf_add_str(b, "\"} ");
}

void prom_histogram(struct buf *b, const struct metric *m, struct sv labels, const struct prom_histogram *h)
{
	uint64_t total = 0;

	for (unsigned int i = 0; i <= m->buckets->n; i++) {
		total += h->bucket[i];
		bucket(b, m, labels, i < m->buckets->n ? m->buckets->le[i] : "+Inf");
		digits(b, total);
		if (h->exemplar)
			exemplar(b, m, &h->exemplar[i]);
		buf_add_ch(b, '\n');
	}
	series(b, m, "_count", labels);
	digits(b, total);
	buf_add_ch(b, '\n');
	series(b, m, "_sum", labels);
	prom_number(b, h->sum, m->nanoseconds);
	buf_add_ch(b, '\n');
}
