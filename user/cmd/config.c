/* SPDX-License-Identifier: Apache-2.0 */
/* config: print the configuration with its defaults, or as it is in force; check it. */
#include <stdio.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/log.h"
#include "cmd/args.h"
#include "cmd/cmd.h"
#include "config.h"
#include "config_args.h"

enum { OPT_DEFAULT = 300, OPT_PRINT };

struct config_cmd {
	struct config_args args;
	bool defaults, print;
};

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct config_cmd *o = state->input;

	(void)arg;
	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = &o->args;
		return 0;
	case OPT_DEFAULT:
		o->defaults = true;
		return 0;
	case OPT_PRINT:
		o->print = true;
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int show(const struct config *c, bool help)
{
	struct buf out;
	int rc;

	buf_init(&out, 4 << 20);
	if (help)
		buf_add_str(&out, "# mcpvigil: every key with its default. `mcpvigil config --check' checks a file.\n");
	config_print(c, help, &out);
	rc = out.full || fwrite(out.p, 1, out.n, stdout) != out.n || fflush(stdout) ? 1 : 0;
	if (rc)
		log_err("standard output cannot be written");
	buf_done(&out);
	return rc;
}

static int config_run(int argc, char **argv)
{
	static const struct argp_option options[] = {
		{ "print-default", OPT_DEFAULT, NULL, 0, "print a file with every key, its help and its default", 1 },
		{ "print", OPT_PRINT, NULL, 0, "print what is in force: file, environment and options together", 1 },
		{ 0 },
	};
	const struct argp_child children[] = { { config_argp(), 0, NULL, 0 }, { 0 } };
	const struct argp argp = {
		.options = options,
		.parser = parse_opt,
		.doc = "Print or check the configuration of `mcpvigil run'. Needs no root.",
		.children = children,
	};
	struct config_cmd o = { 0 };
	struct config *c;
	int rc;

	if (args_parse(&argp, argc, argv, &o))
		return 2;
	if (o.defaults + o.print + o.args.check != 1) {
		log_err("one of --print-default, --print and --check is wanted");
		return 2;
	}
	c = malloc(sizeof(*c));
	if (!c)
		return 1;
	o.args.check = true;
	config_default(c);
	rc = o.defaults ? 0 : config_load(c, &o.args) ? 1 : 0;
	if (!rc && (o.defaults || o.print))
		rc = show(c, o.defaults);
	free(c);
	return rc;
}

const struct cmd cmd_config = {
	.name = "config",
	.summary = "print or check the configuration of run",
	.run = config_run,
};
