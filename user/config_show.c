/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as YAML that gives it again. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "base/jsonw.h"

void config_text_show(const char *s, struct buf *out)
{
	struct jsonw w;

	/* A JSON string is a YAML one. */
	jsonw_init(&w, out);
	jsonw_cstr(&w, NULL, s);
}

/* Tokens stand in user names, in queries, and in the whole path of a webhook. */
static void show_url(const struct config_key *k, const char *url, struct buf *out)
{
	const char *host = strstr(url, "://"), *path, *at, *query;
	char shown[600];

	host = host ? host + 3 : url;
	path = host + strcspn(host, "/?");
	at = memrchr(host, '@', (size_t)(path - host));
	query = strchr(path, '?');
	if (k->hide_path)
		query = path[0] && strcmp(path, "/") != 0 ? path : NULL;
	snprintf(shown, sizeof(shown), "%.*s%s%.*s%s", (int)(host - url), url, at ? "<set>" : "",
		 (int)(query ? query - (at ? at : host) : (ptrdiff_t)strlen(at ? at : host)), at ? at : host,
		 !query ? "" : k->hide_path ? "/<set>" : "?<set>");
	config_text_show(shown, out);
}

static void show_list(const struct config_key *k, const void *base, bool plain, struct buf *out)
{
	uint32_t n = *(const uint32_t *)((const char *)base + k->count_at);

	buf_add_ch(out, '[');
	for (uint32_t i = 0; i < n; i++) {
		const char *s = (const char *)base + k->at + (size_t)i * k->stride;

		buf_add_str(out, i ? ", " : "");
		if (k->type == CONFIG_URLS && !plain)
			show_url(k, s, out);
		else
			config_text_show(s, out);
	}
	buf_add_ch(out, ']');
}

/* With as few digits as give the number again. */
static void show_decimal(double d, struct buf *out)
{
	char s[40];
	int digits = 1;

	do
		snprintf(s, sizeof(s), "%.*g", digits, d);
	while (strtod(s, NULL) != d && digits++ < 17);
	buf_add_str(out, s);
}

static void show_number(const struct config_key *k, const void *at, struct buf *out)
{
	int8_t tri = *(const int8_t *)at;
	char s[32];

	switch (k->type) {
	case CONFIG_BOOL:
	case CONFIG_NOT:
		buf_add_str(out, *(const bool *)at != (k->type == CONFIG_NOT) ? "true" : "false");
		return;
	case CONFIG_TRI:
		buf_add_str(out, tri > 0 ? "true" : tri < 0 ? "false" : "auto");
		return;
	case CONFIG_U16:
		buf_addf(out, "%u", *(const uint16_t *)at);
		return;
	case CONFIG_U32:
		buf_addf(out, "%" PRIu32, *(const uint32_t *)at);
		return;
	case CONFIG_NS:
		config_show_ns(*(const uint64_t *)at, s);
		buf_add_str(out, s);
		return;
	default:
		config_show_bytes(*(const uint64_t *)at, s);
		buf_add_str(out, s);
	}
}

void config_value_show(const struct config_key *k, const void *base, bool plain, struct buf *out)
{
	const void *at = (const char *)base + k->at;

	switch (k->type) {
	case CONFIG_NUMBER:
		show_decimal(*(const double *)at, out);
		return;
	case CONFIG_WORD:
		buf_add_str(out, k->words[*(const uint8_t *)at]);
		return;
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_LISTEN:
		config_text_show(at, out);
		return;
	case CONFIG_TEXTS:
	case CONFIG_URLS:
		show_list(k, base, plain, out);
		return;
	case CONFIG_LABELS:
	case CONFIG_RULES:
	case CONFIG_OVERRIDES:
	case CONFIG_OFF:
	case CONFIG_THRESHOLDS:
		config_own_show(k, base, out);
		return;
	default:
		show_number(k, at, out);
	}
}

static void indent(struct buf *out, unsigned int depth)
{
	buf_addf(out, "%*s", (int)depth * 2, "");
}

static void show_bounds(const struct config_key *k, struct buf *out)
{
	char min[32], max[32];

	if (k->type == CONFIG_U32) {
		buf_addf(out, "; %" PRIu64 " to %" PRIu64, k->min, k->max);
	} else if (k->type == CONFIG_NS || k->type == CONFIG_BYTES) {
		void (*show)(uint64_t, char[32]) = k->type == CONFIG_NS ? config_show_ns : config_show_bytes;

		show(k->min, min);
		show(k->max, max);
		buf_addf(out, "; %s to %s", min, max);
	}
}

/* Comment lines of 100 columns at most. */
static void show_help(const struct config_key *k, unsigned int depth, struct buf *out)
{
	struct buf text;
	size_t from = 0, room = 98 - depth * 2;

	buf_init(&text, 4096);
	buf_add_str(&text, k->help);
	show_bounds(k, &text);
	while (from < text.n) {
		size_t n = text.n - from;

		if (n > room) {
			const char *space = memrchr(text.p + from, ' ', room);

			n = space && space > text.p + from ? (size_t)(space - text.p) - from : room;
		}
		indent(out, depth);
		buf_addf(out, "# %.*s\n", (int)n, text.p + from);
		from += n + (from + n < text.n && text.p[from + n] == ' ');
	}
	buf_done(&text);
}

/* The sections of @name that are not those of @before; how deep its last part lies. */
static unsigned int show_sections(const char *name, const char *before, struct buf *out)
{
	unsigned int depth = 0;
	const char *dot;
	bool same = true;
	size_t from = 0;

	for (dot = strchr(name, '.'); dot; dot = strchr(dot + 1, '.')) {
		size_t n = (size_t)(dot - name) + 1;

		same = same && strncmp(name, before, n) == 0;
		if (!same) {
			if (depth == 0)
				buf_add_ch(out, '\n');
			indent(out, depth);
			buf_addf(out, "%.*s:\n", (int)(n - 1 - from), name + from);
		}
		from = n;
		depth++;
	}
	return depth;
}

void config_print(const struct config *c, bool help, struct buf *out)
{
	const char *before = "";
	struct buf value;

	buf_init(&value, out->max);
	for (unsigned int i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		unsigned int depth = show_sections(k->name, before, out);
		const char *dot = strrchr(k->name, '.');

		if (depth == 0)
			buf_add_ch(out, '\n');
		/* The thresholds of all loop rules say the same: once is enough. */
		if (help && (k->type != CONFIG_U16 || strcmp(config_keys[i - 3].help, k->help) != 0))
			show_help(k, depth, out);
		indent(out, depth);
		buf_addf(out, "%s:", dot ? dot + 1 : k->name);
		buf_reset(&value);
		config_value_show(k, c, false, &value);
		if (value.n && value.p[0] != '\n') /* a list on lines of its own */
			buf_add_ch(out, ' ');
		buf_add_sv(out, buf_sv(&value));
		buf_add_ch(out, '\n');
		out->full |= value.full;
		before = k->name;
	}
	buf_done(&value);
}
