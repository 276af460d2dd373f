/* SPDX-License-Identifier: Apache-2.0 */
/* Alerts that go to a webhook together. */
#include "sink/webhook_group.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVER "mcpvigil"

struct group *group_new(const char *rule, uint64_t now)
{
	struct group *g = calloc(1, sizeof(*g));

	if (!g)
		return NULL;
	snprintf(g->rule, sizeof(g->rule), "%s", rule);
	g->begin = now;
	return g;
}

static void told_free(struct told *t)
{
	told_done(t);
	free(t);
}

void group_free(struct group *g)
{
	if (!g)
		return;
	for (unsigned int i = 0; i < g->n; i++)
		told_free(g->alert[i]);
	free(g);
}

int group_add(struct group *g, const struct alert *a, const struct alert_labels *node)
{
	struct told *t;
	int err;

	for (unsigned int i = 0; i < g->n; i++) {
		if (g->alert[i]->key == a->key)
			return told_again(g->alert[i], a);
	}
	if (g->n == GROUP_ALERTS) {
		g->truncated++;
		return -ENOSPC;
	}
	t = calloc(1, sizeof(*t));
	if (!t)
		return -ENOMEM;
	err = told_init(t, a, node);
	if (err) {
		told_free(t);
		return err;
	}
	g->alert[g->n++] = t;
	return 0;
}

static void put_alert(struct jsonw *w, const struct told *t, int64_t wall_offset)
{
	char fingerprint[20];

	snprintf(fingerprint, sizeof(fingerprint), "%016" PRIx64, t->key);
	jsonw_open(w, NULL, '{');
	jsonw_cstr(w, "status", t->resolved ? "resolved" : "firing");
	told_json(t, w, wall_offset, true);
	jsonw_cstr(w, "generatorURL", "");
	jsonw_cstr(w, "fingerprint", fingerprint);
	jsonw_close(w, '}');
}

static const struct pairs *pairs_of(const struct told *t, bool notes)
{
	return notes ? &t->notes : &t->labels;
}

/* Those that all alerts of the group have, with the same value. */
static void put_shared(struct jsonw *w, const char *key, const struct group *g, bool notes)
{
	const char *name, *value;
	size_t at = 0;

	jsonw_open(w, key, '{');
	while (g->n && pairs_next(pairs_of(g->alert[0], notes), &at, &name, &value)) {
		unsigned int i = 1;

		for (; i < g->n; i++) {
			const char *other = pairs_get(pairs_of(g->alert[i], notes), name);

			if (!other || strcmp(other, value) != 0)
				break;
		}
		if (i == g->n)
			jsonw_cstr(w, name, value);
	}
	jsonw_close(w, '}');
}

static const char *status_of(const struct group *g)
{
	for (unsigned int i = 0; i < g->n; i++) {
		if (!g->alert[i]->resolved)
			return "firing";
	}
	return "resolved";
}

int group_body(const struct group *g, int64_t wall_offset, struct buf *out)
{
	const char *alertname = g->n ? pairs_get(&g->alert[0]->labels, "alertname") : NULL;
	char group_key[160];
	struct jsonw w;

	snprintf(group_key, sizeof(group_key), "{}:{alertname=\"%s\"}", alertname ? alertname : "");
	jsonw_init(&w, out);
	jsonw_open(&w, NULL, '{');
	jsonw_cstr(&w, "version", "4");
	jsonw_cstr(&w, "groupKey", group_key);
	jsonw_u64(&w, "truncatedAlerts", g->truncated);
	jsonw_cstr(&w, "status", status_of(g));
	jsonw_cstr(&w, "receiver", RECEIVER);
	jsonw_open(&w, "groupLabels", '{');
	if (alertname)
		jsonw_cstr(&w, "alertname", alertname);
	jsonw_close(&w, '}');
	put_shared(&w, "commonLabels", g, false);
	put_shared(&w, "commonAnnotations", g, true);
	jsonw_cstr(&w, "externalURL", "");
	jsonw_open(&w, "alerts", '[');
	for (unsigned int i = 0; i < g->n; i++)
		put_alert(&w, g->alert[i], wall_offset);
	jsonw_close(&w, ']');
	jsonw_close(&w, '}');
	return w.bad ? -ENOMEM : 0;
}
