/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration as a whole: read in layers, checked across keys, compared for a reload. */
#include "config.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config_key.h"
#include "config_yaml.h"
#include "base/err.h"
#include "base/log.h"
#include "base/trusted.h"

#define ERRORS_BYTES 16384

void config_default(struct config *c)
{
	memset(c, 0, sizeof(*c));
	facts_opts_default(&c->facts);
	c->idents = 8192;
	snprintf(c->key_file, sizeof(c->key_file), "/var/lib/mcpvigil/fp.key");
	snprintf(c->socket, sizeof(c->socket), "/run/mcpvigil/ctl.sock");
	c->tls = true;
	snprintf(c->tls_cache, sizeof(c->tls_cache), CONFIG_TLS_CACHE);
	prom_opts_default(&c->prom);
	alertlog_opts_default(&c->alertlog);
	for (int i = 0; i < CONFIG_PEERS; i++) {
		alertmanager_opts_default(&c->alertmanager[i]);
		webhook_opts_default(&c->webhook[i]);
	}
	c->drop_privileges = true;
}

static void file_parse(struct config_reader *r, const char *path, struct sv text)
{
	struct tree_error e;
	struct tree *t = tree_parse(text, &e);

	r->where = path;
	if (!t)
		config_bad(r, e.line, "%s", e.why);
	else
		config_tree_read(r, tree_root(t));
	tree_free(t);
}

static void file_read(struct config_reader *r, const struct config_args *args)
{
	const char *path = args->file ? args->file : CONFIG_FILE;
	char why[TRUSTED_WHY], *text;
	ssize_t n;

	if (!args->file && access(path, F_OK) && errno == ENOENT)
		return;
	r->where = path;
	text = malloc(TREE_BYTES);
	if (!text) {
		config_bad(r, 0, "out of memory");
		return;
	}
	n = trusted_read(path, text, TREE_BYTES, why);
	if (n < 0)
		config_bad(r, 0, "not taken: %s", why);
	else
		file_parse(r, path, (struct sv){ text, (size_t)n });
	free(text);
}

static void key_name(struct config_reader *r, const char *name)
{
	r->where = "configuration";
	snprintf(r->path, sizeof(r->path), "%s", name);
}

/* One line; the newline at its end is no part of it. */
static void secret_read(struct config_reader *r, bool check)
{
	char text[sizeof(r->c->webhook[0].secret)] = "", why[TRUSTED_WHY];
	ssize_t n;

	if (!r->c->secret_file[0])
		return;
	key_name(r, "webhook.secret_file");
	n = trusted_read(r->c->secret_file, text, sizeof(text) - 1, why);
	if (n == -EACCES && check) {
		log_warn("%s; not checked", why);
		return;
	}
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == '\r'))
		text[--n] = 0;
	if (n < 0)
		config_bad(r, 0, "not taken: %s", why);
	else if (n == 0 || strlen(text) != (size_t)n || strchr(text, '\n'))
		config_bad(r, 0, "not one line of text: %s", r->c->secret_file);
	for (int i = 0; i < CONFIG_PEERS && n > 0; i++)
		memcpy(r->c->webhook[i].secret, text, (size_t)n + 1);
	explicit_bzero(text, sizeof(text));
}

static void key_file_check(struct config_reader *r, bool check)
{
	char why[TRUSTED_WHY];
	int fd;

	if (!r->c->key_file[0])
		return;
	fd = trusted_open(r->c->key_file, why);
	if (fd >= 0) {
		close(fd);
		return;
	}
	key_name(r, "key_file");
	if (fd == -EACCES && check)
		log_warn("%s; not checked", why);
	else if (fd != -ENOENT) /* it is made at the first start */
		config_bad(r, 0, "not taken: %s", why);
}

/* The keys of both lists of tools as overrides, behind those that are given: what is said of one server comes first. */
static void tools_override(struct config_reader *r)
{
	struct loop_opts *o = &r->c->facts.loops;

	o->overrides = r->c->overrides;
	for (uint32_t i = 0; i < r->c->n_poll_tools + r->c->n_read_tools; i++) {
		bool read = i >= r->c->n_poll_tools;
		const char *tool = read ? r->c->read_tools[i - r->c->n_poll_tools] : r->c->poll_tools[i];
		unsigned int at = r->c->overrides;

		while (at < o->overrides && strcmp(o->override[at].tool, tool) != 0)
			at++;
		if (at == LOOP_OVERRIDES) {
			key_name(r, "loops.overrides");
			config_bad(r, 0, "more than %d, with poll_tools and read_tools", LOOP_OVERRIDES);
			return;
		}
		if (at == o->overrides) {
			o->override[o->overrides++] = (struct loop_override){ 0 };
			snprintf(o->override[at].tool, sizeof(o->override[at].tool), "%s", tool);
		}
		*(read ? &o->override[at].read : &o->override[at].poll) = 1;
	}
}

/* What follows from several keys together. */
static void finish(struct config_reader *r, bool check)
{
	struct config *c = r->c;

	c->alertmanager[0].active = c->facts.alerts.active;
	for (int i = 1; i < CONFIG_PEERS; i++) {
		c->alertmanager[i].resend_ns = c->alertmanager[0].resend_ns;
		c->alertmanager[i].timeout_ns = c->alertmanager[0].timeout_ns;
		c->alertmanager[i].active = c->alertmanager[0].active;
		c->webhook[i].timeout_ns = c->webhook[0].timeout_ns;
		c->webhook[i].group_wait_ns = c->webhook[0].group_wait_ns;
		c->webhook[i].queue = c->webhook[0].queue;
	}
	tools_override(r);
	if (c->prom.client_values > c->prom.label_values) {
		key_name(r, "prometheus.client_values");
		config_bad(r, 0, "more than prometheus.label_values");
	}
	secret_read(r, check);
	key_file_check(r, check);
}

/* Only now: the options point into what is at its place. */
static void place(struct config *c, const struct config *from)
{
	*c = *from;
	for (int i = 0; i < CONFIG_PEERS; i++)
		c->alertmanager[i].labels = c->webhook[i].labels = &c->labels;
}

int config_read(struct config *c, const struct config_args *args, char **environ_, struct buf *errors)
{
	struct config *new = malloc(sizeof(*new));
	struct config_reader r = { .c = new, .errors = errors };

	if (!new)
		return -ENOMEM;
	config_default(new);
	file_read(&r, args);
	config_env_read(&r, environ_);
	config_flags_read(&r, args);
	if (!r.n)
		finish(&r, args->check);
	if (!r.n)
		place(c, new);
	explicit_bzero(new, sizeof(*new));
	free(new);
	return r.n ? -EINVAL : 0;
}

int config_load(struct config *c, const struct config_args *args)
{
	struct buf errors;
	int err;

	buf_init(&errors, ERRORS_BYTES);
	err = config_read(c, args, environ, &errors);
	for (size_t at = 0; at < errors.n;) {
		const char *end = memchr(errors.p + at, '\n', errors.n - at);
		size_t n = end ? (size_t)(end - errors.p) - at : errors.n - at;

		log_err("%.*s", (int)n, errors.p + at);
		at += n + 1;
	}
	if (err && !errors.n)
		log_err("configuration: %s", errstr(err));
	buf_done(&errors);
	return err;
}

unsigned int config_reload_refused(const struct config *old, const struct config *new, struct buf *names)
{
	struct buf a, b;
	unsigned int n = 0;

	buf_init(&a, 1 << 20);
	buf_init(&b, 1 << 20);
	for (unsigned int i = 0; i < config_keys_n; i++) {
		const struct config_key *k = &config_keys[i];
		bool same;

		buf_reset(&a);
		buf_reset(&b);
		config_value_show(k, old, true, &a);
		config_value_show(k, new, true, &b);
		same = sv_eq(buf_sv(&a), buf_sv(&b));
		if (strcmp(k->name, "webhook.secret_file") == 0)
			same = same && strcmp(old->webhook[0].secret, new->webhook[0].secret) == 0;
		if (!same && !k->reload)
			buf_addf(names, "%s%s", n++ ? ", " : "", k->name);
	}
	buf_done(&a);
	buf_done(&b);
	return n;
}
