/* SPDX-License-Identifier: Apache-2.0 */
/* One value of the configuration: from text, by its key's type and bounds. */
#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config_key.h"
#include "base/num.h"
#include "base/utf8.h"

#define WHY 192

static int bounded(const struct config_key *k, uint64_t v, const char *shown_min, const char *shown_max, char why[WHY])
{
	if (v >= k->min && v <= k->max)
		return 0;
	snprintf(why, WHY, "out of range, %s to %s", shown_min, shown_max);
	return -EINVAL;
}

void config_show_ns(uint64_t ns, char ret[32])
{
	static const struct {
		const char *name;
		uint64_t ns;
	} units[] = { { "h", 3600000000000 }, { "m", 60000000000 }, { "s", 1000000000 },
		      { "ms", 1000000 },      { "us", 1000 },	    { "ns", 1 } };
	unsigned int i = 0;

	while (ns % units[i].ns)
		i++;
	if (ns == 0)
		i = 2;
	snprintf(ret, 32, "%" PRIu64 "%s", ns / units[i].ns, units[i].name);
}

void config_show_bytes(uint64_t bytes, char ret[32])
{
	static const char units[] = "kMG";
	int i = -1;

	while (bytes && bytes % 1024 == 0 && i < 2) {
		bytes /= 1024;
		i++;
	}
	snprintf(ret, 32, i < 0 ? "%" PRIu64 : "%" PRIu64 "%c", bytes, i < 0 ? 0 : units[i]);
}

static int number(const struct config_key *k, struct config_value v, uint64_t *ret, char why[WHY])
{
	char min[32], max[32];
	int err = num_u64(v.text, ret);

	snprintf(min, sizeof(min), "%" PRIu64, k->min);
	snprintf(max, sizeof(max), "%" PRIu64, k->max);
	/* YAML 1.1 reads 010 as 8. */
	if (err == -EINVAL || v.quoted || (v.text.n > 1 && v.text.p[0] == '0')) {
		snprintf(why, WHY, "not a whole number such as 10");
		return -EINVAL;
	}
	return bounded(k, err ? UINT64_MAX : *ret, min, max, why);
}

static int duration(const struct config_key *k, struct config_value v, uint64_t *ret, char why[WHY])
{
	char min[32], max[32];
	int err = num_duration(v.text, ret);

	config_show_ns(k->min, min);
	config_show_ns(k->max, max);
	if (err == -EINVAL) {
		snprintf(why, WHY, "not a time such as 500ms, 2s, 10m or 1h");
		return err;
	}
	return bounded(k, err ? UINT64_MAX : *ret, min, max, why);
}

static int size(const struct config_key *k, struct config_value v, uint64_t *ret, char why[WHY])
{
	char min[32], max[32];
	int err = num_size(v.text, ret);

	config_show_bytes(k->min, min);
	config_show_bytes(k->max, max);
	if (err == -EINVAL) {
		snprintf(why, WHY, "not a size such as 4096, 64k or 16M");
		return err;
	}
	return bounded(k, err ? UINT64_MAX : *ret, min, max, why);
}

static int decimal(const struct config_key *k, struct config_value v, double *ret, char why[WHY])
{
	char *end;
	double d;

	/* strtod knows more than decimals: hexadecimals, infinity, what is no number. */
	if (v.quoted || v.text.n == 0 || v.text.n > 40 || strspn(v.text.p, "0123456789.eE+-") != v.text.n ||
	    v.text.p[0] < '0' || v.text.p[0] > '9') {
		snprintf(why, WHY, "not a number such as 10 or 0.5");
		return -EINVAL;
	}
	d = strtod(v.text.p, &end);
	if (*end || !isfinite(d)) {
		snprintf(why, WHY, "not a number such as 10 or 0.5");
		return -EINVAL;
	}
	if (k->max && d > (double)k->max) {
		snprintf(why, WHY, "out of range, %" PRIu64 " to %" PRIu64, k->min, k->max);
		return -EINVAL;
	}
	*ret = d;
	return 0;
}

/* Index into @words, which NULL ends, or -EINVAL. */
static int word(const char *const *words, struct config_value v, char why[WHY])
{
	size_t at = 0;

	for (int i = 0; words[i]; i++) {
		if (sv_eq(v.text, sv_of(words[i])))
			return i;
	}
	for (int i = 0; words[i] && at < WHY; i++)
		at += (size_t)snprintf(why + at, WHY - at, "%s%s", i ? ", " : "not one of ", words[i]);
	return -EINVAL;
}

static int truth(struct config_value v, bool *ret, char why[WHY])
{
	bool yes = sv_eq(v.text, SV("true"));

	if (v.quoted || (!yes && !sv_eq(v.text, SV("false")))) {
		snprintf(why, WHY, "neither true nor false");
		return -EINVAL;
	}
	*ret = yes;
	return 0;
}

static bool is_clean(struct sv s)
{
	uint32_t cp;

	for (size_t i = 0; i < s.n; i += utf8_next((struct sv){ s.p + i, s.n - i }, &cp)) {
		utf8_next((struct sv){ s.p + i, s.n - i }, &cp);
		if (cp == UTF8_INVALID || utf8_control(cp))
			return false;
	}
	return true;
}

static const char *path_why(struct sv s, bool dash)
{
	if (s.n == 0 || s.p[0] == '/' || (dash && sv_eq(s, SV("-"))))
		return NULL;
	return dash ? "neither an absolute path, nor -, nor \"\"" : "neither an absolute path nor \"\"";
}

static const char *url_why(struct sv s)
{
	size_t skip = sv_starts(s, SV("http://")) ? 7 : sv_starts(s, SV("https://")) ? 8 : 0;

	if (!skip)
		return "not an URL that begins with http:// or https://";
	if (s.n == skip || strchr("/?#:@", s.p[skip]))
		return "an URL without a host";
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] <= ' ' || s.p[i] >= 0x7f || strchr("\"<>\\^`{|}", s.p[i]))
			return "an URL with a character that has to be percent-encoded";
	}
	return memchr(s.p, '#', s.n) ? "an URL with a fragment" : NULL;
}

/* Numbers only: what is listened on does not depend on a name server. */
static const char *listen_why(struct sv s)
{
	static const char why[] = "not ADDRESS:PORT, such as 127.0.0.1:9464 or [::1]:9464";
	const char *colon = s.n ? memrchr(s.p, ':', s.n) : NULL;
	size_t n = colon ? (size_t)(colon - s.p) : 0;
	unsigned char addr[16];
	bool six = n > 2 && s.p[0] == '[' && s.p[n - 1] == ']';
	char host[64];
	uint64_t port;

	if (s.n == 0)
		return NULL;
	if (!n || n >= sizeof(host))
		return why;
	snprintf(host, sizeof(host), "%.*s", (int)(six ? n - 2 : n), s.p + six);
	if (inet_pton(six ? AF_INET6 : AF_INET, host, addr) != 1)
		return why;
	if (num_u64((struct sv){ colon + 1, s.n - n - 1 }, &port) || port == 0 || port > 65535)
		return "its port is not 1 to 65535";
	return NULL;
}

static int text(const struct config_key *k, char *to, struct config_value v, char why[WHY])
{
	const char *bad = NULL;

	if (v.text.n >= k->room) {
		snprintf(why, WHY, "longer than %u bytes", k->room - 1);
		return -EINVAL;
	}
	if (!is_clean(v.text))
		bad = "control characters, or no UTF-8";
	else if (k->type == CONFIG_PATH || k->type == CONFIG_OUTPUT)
		bad = path_why(v.text, k->type == CONFIG_OUTPUT);
	else if (k->type == CONFIG_URL || k->type == CONFIG_URLS)
		bad = url_why(v.text);
	else if (k->type == CONFIG_LISTEN)
		bad = listen_why(v.text);
	else if (v.text.n < k->min)
		bad = "empty";
	if (bad) {
		snprintf(why, WHY, "%s", bad);
		return -EINVAL;
	}
	memset(to, 0, k->room);
	memcpy(to, v.text.p, v.text.n);
	return 0;
}

static int add_text(const struct config_key *k, void *base, struct config_value v, char why[WHY])
{
	uint32_t *n = (uint32_t *)((char *)base + k->count_at);
	char *first = (char *)base + k->at, *to = first + (size_t)*n * k->stride;
	int err;

	if (*n == k->max) {
		snprintf(why, WHY, "more than %" PRIu64 " of them", k->max);
		return -EINVAL;
	}
	err = text(k, to, v, why);
	for (uint32_t i = 0; !err && i < *n; i++) {
		if (strcmp(first + (size_t)i * k->stride, to) == 0) {
			snprintf(why, WHY, "the same twice");
			err = -EINVAL;
		}
	}
	if (!err)
		(*n)++;
	return err;
}

/* The types that are kept as integers or fewer bits than they are read with. */
static int set_small(const struct config_key *k, void *at, struct config_value v, char why[WHY])
{
	static const char *const tri[] = { "auto", "true", "false", NULL };
	uint64_t u = 0;
	bool yes = false;
	int err;

	switch (k->type) {
	case CONFIG_BOOL:
	case CONFIG_NOT:
		err = truth(v, &yes, why);
		if (!err)
			*(bool *)at = yes != (k->type == CONFIG_NOT);
		return err;
	case CONFIG_TRI:
		err = word(tri, v, why);
		if (err >= 0)
			*(int8_t *)at = (int8_t)(err == 2 ? -1 : err);
		return err < 0 ? err : 0;
	case CONFIG_WORD:
		err = word(k->words, v, why);
		if (err >= 0)
			*(uint8_t *)at = (uint8_t)err;
		return err < 0 ? err : 0;
	default:
		err = number(k, v, &u, why);
		if (!err && k->type == CONFIG_U16)
			*(uint16_t *)at = (uint16_t)u;
		else if (!err)
			*(uint32_t *)at = (uint32_t)u;
		return err;
	}
}

int config_value_set(const struct config_key *k, void *base, struct config_value v, char why[WHY])
{
	void *at = (char *)base + k->at;
	uint64_t u;
	int err;

	switch (k->type) {
	case CONFIG_NS:
	case CONFIG_BYTES:
		err = k->type == CONFIG_NS ? duration(k, v, &u, why) : size(k, v, &u, why);
		if (!err)
			*(uint64_t *)at = u;
		return err;
	case CONFIG_NUMBER:
		return decimal(k, v, at, why);
	case CONFIG_TEXT:
	case CONFIG_PATH:
	case CONFIG_OUTPUT:
	case CONFIG_URL:
	case CONFIG_LISTEN:
		return text(k, at, v, why);
	case CONFIG_TEXTS:
	case CONFIG_URLS:
		return add_text(k, base, v, why);
	default:
		return set_small(k, at, v, why);
	}
}

bool config_is_list(const struct config_key *k)
{
	return k->type == CONFIG_TEXTS || k->type == CONFIG_URLS;
}

bool config_is_own(const struct config_key *k)
{
	return k->type >= CONFIG_LABELS;
}

void config_list_clear(const struct config_key *k, void *base)
{
	uint32_t *n = (uint32_t *)((char *)base + k->count_at);

	while (*n) {
		(*n)--;
		memset((char *)base + k->at + (size_t)*n * k->stride, 0, k->room);
	}
}
