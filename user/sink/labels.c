/* SPDX-License-Identifier: Apache-2.0 */
/* Labels and annotations of an alert. */
#include "sink/labels.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/num.h"
#include "sink/alert_json.h"

#define PAIRS_MAX      8192
#define LABEL_COLS     128
#define NOTE_COLS      1024
#define LABEL_PREFIX   "mcpvigil_"

void pairs_init(struct pairs *p)
{
	buf_init(&p->text, PAIRS_MAX);
}

void pairs_done(struct pairs *p)
{
	buf_done(&p->text);
}

int pairs_add(struct pairs *p, const char *name, const char *value)
{
	size_t before = p->text.n;
	int err;

	if (!value || !value[0])
		return 0;
	err = buf_add(&p->text, name, strlen(name) + 1);
	if (!err)
		err = buf_add(&p->text, value, strlen(value) + 1);
	if (err)
		p->text.n = before;
	return err;
}

bool pairs_next(const struct pairs *p, size_t *at, const char **ret_name, const char **ret_value)
{
	if (*at >= p->text.n)
		return false;
	*ret_name = p->text.p + *at;
	*ret_value = *ret_name + strlen(*ret_name) + 1;
	*at += strlen(*ret_name) + strlen(*ret_value) + 2;
	return true;
}

const char *pairs_get(const struct pairs *p, const char *name)
{
	const char *have, *value;
	size_t at = 0;

	while (pairs_next(p, &at, &have, &value)) {
		if (strcmp(have, name) == 0)
			return value;
	}
	return NULL;
}

void pairs_json(const struct pairs *p, struct jsonw *w, const char *key)
{
	const char *name, *value;
	size_t at = 0;

	jsonw_open(w, key, '{');
	while (pairs_next(p, &at, &name, &value))
		jsonw_cstr(w, name, value);
	jsonw_close(w, '}');
}

uint64_t pairs_hash(const struct pairs *p)
{
	return hash_bytes(p->text.p, p->text.n);
}

/* @value as a person may read it: what was in it to deceive, shows. */
static int add_safe(struct pairs *p, const char *name, const char *value, size_t cols)
{
	struct buf text;
	int err;

	if (!value)
		return 0;
	buf_init(&text, PAIRS_MAX);
	err = text_safe(&text, sv_of(value), cols);
	if (!err)
		err = buf_add_ch(&text, '\0');
	if (!err)
		err = pairs_add(p, name, text.p);
	buf_done(&text);
	return err;
}

/* [a-zA-Z_][a-zA-Z0-9_]*: with any other name in it, Alertmanager refuses the whole request. */
static bool name_ok(const char *s)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_";
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_0123456789");

	return s[0] && strchr(letters, s[0]) && !s[n];
}

static int labels_fill(struct pairs *p, const struct alert *a, const struct alert_labels *node)
{
	char alertname[128];
	const struct {
		const char *name, *value;
	} of_alert[] = {
		{ "alertname", alertname },   { "rule", a->rule },	 { "severity", alert_severity_text(a->severity) },
		{ "mcp_server", a->server }, { "mcp_tool", a->tool },	 { "mcp_client", a->client },
		{ "session", a->session },
	};
	int err = 0;

	snprintf(alertname, sizeof(alertname), LABEL_PREFIX "%s", a->rule ? a->rule : "");
	for (unsigned int i = 0; i < sizeof(of_alert) / sizeof(of_alert[0]) && !err; i++)
		err = add_safe(p, of_alert[i].name, of_alert[i].value, LABEL_COLS);
	for (unsigned int i = 0; node && i < node->n && !err; i++) {
		if (name_ok(node->v[i].name) && !pairs_get(p, node->v[i].name))
			err = add_safe(p, node->v[i].name, node->v[i].value, LABEL_COLS);
	}
	return err;
}

/* "12 calls, 34K, 1.20s so far" */
static void cost_show(const struct alert *a, char ret_s[96])
{
	char bytes[16], busy[16];

	ret_s[0] = '\0';
	if (!a->calls)
		return;
	num_show_bytes(a->bytes, bytes);
	num_show_ns(a->busy_ns, busy);
	snprintf(ret_s, 96, "%" PRIu64 " calls, %s, %s", a->calls, bytes, busy);
}

static int notes_fill(struct pairs *p, const struct alert *a)
{
	char count[32], cost[96];
	int err;

	cost_show(a, cost);
	snprintf(count, sizeof(count), "%" PRIu64, a->count);
	err = add_safe(p, "summary", a->summary, NOTE_COLS);
	if (!err)
		err = add_safe(p, "description", a->advice, NOTE_COLS);
	if (!err && a->count)
		err = pairs_add(p, "count", count);
	if (!err)
		err = pairs_add(p, "cost", cost);
	/* Last, and no loss: it may be too long. */
	if (!err && pairs_add(p, "evidence", a->evidence) == -ENOMEM)
		err = -ENOMEM;
	return err;
}

int told_init(struct told *ret, const struct alert *a, const struct alert_labels *node)
{
	int err;

	ret->key = a->key;
	ret->since = a->since;
	pairs_init(&ret->labels);
	pairs_init(&ret->notes);
	err = labels_fill(&ret->labels, a, node);
	return err ? err : told_again(ret, a);
}

int told_again(struct told *t, const struct alert *a)
{
	t->resolved = a->state == ALERT_RESOLVED;
	t->ended = a->ended ? a->ended : a->ts;
	buf_reset(&t->notes.text);
	return notes_fill(&t->notes, a);
}

void told_done(struct told *t)
{
	pairs_done(&t->labels);
	pairs_done(&t->notes);
}

static void put_time(struct jsonw *w, const char *key, uint64_t boot_ns, int64_t wall_offset)
{
	char text[32];

	clock_rfc3339(boot_ns + (uint64_t)wall_offset, text);
	jsonw_cstr(w, key, text);
}

void told_json(const struct told *t, struct jsonw *w, int64_t wall_offset, bool always)
{
	pairs_json(&t->labels, w, "labels");
	pairs_json(&t->notes, w, "annotations");
	put_time(w, "startsAt", t->since, wall_offset);
	if (t->resolved)
		put_time(w, "endsAt", t->ended, wall_offset);
	else if (always)
		jsonw_cstr(w, "endsAt", "0001-01-01T00:00:00Z"); /* Go's zero time, as Alertmanager writes it */
}
