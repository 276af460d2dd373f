/* SPDX-License-Identifier: Apache-2.0 */
/* The same keys from the environment and the command line. */
#include "config_args.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "config_key.h"
#include "config_yaml.h"
#include "cmd/args.h"

#define OPT_CHECK 256
#define OPT_KEY	  512 /* and the row */
#define OPTIONS	  256

/* --- From one text --------------------------------------------------------------------------------------------- */

static void yaml_set(struct config_reader *r, const struct config_key *k, struct sv text)
{
	struct tree_error e;
	struct tree *t = tree_parse(text, &e);

	if (!t)
		config_bad(r, 0, "%s", e.why);
	else
		config_node_set(r, k, r->c, tree_root(t));
	tree_free(t);
}

/* One value, or one more of a list. */
static void text_set(struct config_reader *r, const struct config_key *k, struct sv text)
{
	char why[192];

	if (k->type == CONFIG_LABELS)
		config_label_add(r, text);
	else if (config_is_own(k))
		yaml_set(r, k, text);
	else if (config_value_set(k, r->c, (struct config_value){ text, false }, why))
		config_bad(r, 0, "%s", why);
}

static bool several(const struct config_key *k)
{
	return config_is_list(k) || k->type == CONFIG_LABELS;
}

static void several_clear(struct config_reader *r, const struct config_key *k)
{
	if (k->type == CONFIG_LABELS)
		r->c->labels = (struct alert_labels){ 0 };
	else
		config_list_clear(k, r->c);
}

/* --- Environment ------------------------------------------------------------------------------------------------ */

static const struct config_key *env_key(struct sv name)
{
	char have[96];

	for (unsigned int i = 0; i < config_keys_n; i++) {
		config_env_name(&config_keys[i], have);
		if (sv_eq(name, sv_of(have)))
			return &config_keys[i];
	}
	return NULL;
}

/* Kubernetes gives each container the services of its namespace: MCPVIGIL_SERVICE_HOST, MCPVIGIL_X_PORT_80_TCP_ADDR. */
static bool env_foreign(struct sv name)
{
	const char *port = memmem(name.p, name.n, "_PORT", 5);

	if (sv_eq(name, SV("MCPVIGIL_TIER")) || sv_eq(name, SV("MCPVIGIL_UPROBES"))) /* of tests */
		return true;
	if (memmem(name.p, name.n, "_SERVICE_HOST", 13) || memmem(name.p, name.n, "_SERVICE_PORT", 13))
		return true;
	return port && (port + 5 == name.p + name.n ||
			(port + 6 < name.p + name.n && port[5] == '_' && isdigit((unsigned char)port[6])));
}

static void env_list(struct config_reader *r, const struct config_key *k, struct sv text)
{
	several_clear(r, k);
	while (text.n) {
		const char *comma = memchr(text.p, ',', text.n);
		size_t n = comma ? (size_t)(comma - text.p) : text.n;

		text_set(r, k, (struct sv){ text.p, n });
		n += comma != NULL;
		text = (struct sv){ text.p + n, text.n - n };
	}
}

void config_env_read(struct config_reader *r, char **environ_)
{
	for (char **e = environ_; e && *e; e++) {
		const char *eq = strchr(*e, '=');
		const struct config_key *k;
		char name[128];

		if (!eq || !sv_starts(sv_of(*e), SV("MCPVIGIL_")) ||
		    env_foreign((struct sv){ *e, (size_t)(eq - *e) }))
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)(eq - *e), *e);
		k = env_key(sv_of(name));
		r->where = name;
		snprintf(r->path, sizeof(r->path), "%s", k ? k->name : "");
		if (!k)
			config_bad(r, 0, "no key of this name");
		else if (several(k))
			env_list(r, k, sv_of(eq + 1));
		else
			text_set(r, k, sv_of(eq + 1));
	}
	r->path[0] = 0;
}

/* --- Command line ----------------------------------------------------------------------------------------------- */

void config_flags_read(struct config_reader *r, const struct config_args *args)
{
	bool seen[OPTIONS] = { 0 };
	char flag[96], where[100];

	for (unsigned int i = 0; i < args->n; i++) {
		const struct config_key *k = &config_keys[args->set[i].key];
		const char *value = args->set[i].value ? args->set[i].value : "true";
		bool again = seen[args->set[i].key];

		seen[args->set[i].key] = true;
		config_flag_name(k, flag);
		snprintf(where, sizeof(where), "--%s", flag);
		r->where = where;
		snprintf(r->path, sizeof(r->path), "%s", k->name);
		if (again && !several(k)) {
			config_bad(r, 0, "given twice");
			continue;
		}
		if (!again && several(k))
			several_clear(r, k);
		if (value[0] || !several(k)) /* --webhook= takes what the file has away */
			text_set(r, k, sv_of(value));
	}
	r->path[0] = 0;
}

static const char *value_name(const struct config_key *k)
{
	static const char *const names[] = {
		[CONFIG_BOOL] = "BOOL",	   [CONFIG_NOT] = "BOOL",     [CONFIG_U32] = "N",
		[CONFIG_U16] = "N",	   [CONFIG_NS] = "TIME",      [CONFIG_BYTES] = "SIZE",
		[CONFIG_PATH] = "PATH",	   [CONFIG_OUTPUT] = "PATH",  [CONFIG_LISTEN] = "ADDRESS:PORT",
		[CONFIG_TEXTS] = "NAME",   [CONFIG_URLS] = "URL",     [CONFIG_LABELS] = "NAME=VALUE",
		[CONFIG_RULES] = "YAML",   [CONFIG_OVERRIDES] = "YAML",
	};

	return names[k->type] ? names[k->type] : "TEXT";
}

/* Kept for as long as the process: argp borrows it. */
static struct {
	struct argp_option v[OPTIONS];
	char flag[OPTIONS][96];
	unsigned int n;
} options;

static struct argp_option *option_add(int key, const char *name, const char *arg, const char *doc, int group)
{
	struct argp_option *o = &options.v[options.n];

	if (options.n + 1 >= OPTIONS) /* the last one ends the table */
		abort();
	*o = (struct argp_option){ name, key, arg, 0, doc, group };
	options.n++;
	return o;
}

static void option_key(unsigned int row, const struct config *defaults, int group)
{
	const struct config_key *k = &config_keys[row];
	char *name = options.flag[options.n], *doc = NULL;
	struct argp_option *o;
	struct buf text;
	size_t n;

	buf_init(&text, 65536);
	buf_addf(&text, "%s%s (default: ", k->help, several(k) ? "; can be given several times" : "");
	n = text.n;
	config_value_show(k, defaults, false, &text);
	if (text.n && text.p[n] == '\n') { /* a list of rules */
		text.n = n;
		buf_add_str(&text, "see mcpvigil config --print-default");
	}
	buf_add_ch(&text, ')');
	doc = strndup(text.p ? text.p : "", text.n);
	buf_done(&text);
	config_flag_name(k, name);
	o = option_add(OPT_KEY + (int)row, name, value_name(k), doc, group);
	if (k->type == CONFIG_BOOL || k->type == CONFIG_NOT)
		o->flags = OPTION_ARG_OPTIONAL;
	if (k->flag)
		option_add(OPT_KEY + (int)row, k->flag, NULL, NULL, group)->flags = OPTION_ALIAS;
}

static void options_make(void)
{
	struct config *c = calloc(1, sizeof(*c));
	char section[32] = "-";
	int group = 2;

	if (!c)
		abort();
	config_default(c);
	option_add('c', "config", "FILE",
		   "take the configuration from FILE (default: " CONFIG_FILE ", if it exists)", 1);
	option_add(OPT_CHECK, "check", NULL, "check the configuration, say what is wrong with it, and exit", 1);
	for (unsigned int i = 0; i < config_keys_n; i++) {
		size_t n = strcspn(config_keys[i].name, ".");

		if (n >= sizeof(section) || strncmp(section, config_keys[i].name, n) != 0 || section[n]) {
			snprintf(section, sizeof(section), "%.*s", (int)n, config_keys[i].name);
			group++;
		}
		option_key(i, c, group);
	}
	free(c);
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct config_args *a = state->input;

	if (key == 'c') {
		a->file = arg;
		return arg[0] ? 0 : args_bad("--config: empty value");
	}
	if (key == OPT_CHECK) {
		a->check = true;
		return 0;
	}
	if (key < OPT_KEY || key >= OPT_KEY + (int)config_keys_n)
		return ARGP_ERR_UNKNOWN;
	if (a->n == CONFIG_ARGS)
		return args_bad("more than %d options", CONFIG_ARGS);
	a->set[a->n].key = (uint32_t)(key - OPT_KEY);
	a->set[a->n++].value = arg;
	return 0;
}

const struct argp *config_argp(void)
{
	static const struct argp argp = { .options = options.v, .parser = parse_opt };

	if (!options.n)
		options_make();
	return &argp;
}

int config_parse_args(int argc, char **argv, struct config_args *ret)
{
	struct argp argp = *config_argp();

	argp.doc = "Watch the MCP traffic of every process on this host: metrics, alerts, a control socket. Needs "
		   "root.\v"
		   "Every option is also a key of the configuration file and a variable of the environment: "
		   "--prometheus-listen is listen below prometheus, and MCPVIGIL_PROMETHEUS_LISTEN. An option "
		   "overrides the environment, which overrides the file. SIGHUP reads all of them again: what can "
		   "change at run time changes, and where something else differs or is wrong, nothing does. "
		   "`mcpvigil config --print-default' prints the file with every key.";
	*ret = (struct config_args){ 0 };
	return args_parse(&argp, argc, argv, ret);
}
