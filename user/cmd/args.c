/* SPDX-License-Identifier: Apache-2.0 */
/* argp as every command uses it: wrong usage is one line on standard error.
 *
 * argp adds a "Try --help" line of its own to each error, through state->err_stream alone; without that
 * stream it still stops, and getopt's line that names the option remains. */
#include "cmd/args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

#include "base/log.h"

/* Where args_bad tells it, instead of standard error; argp's parsers have no context that every one of them knows. */
static struct buf *told;

static error_t parse_outer(int key, char *arg, struct argp_state *state)
{
	(void)arg;
	if (key != ARGP_KEY_INIT)
		return ARGP_ERR_UNKNOWN;
	state->err_stream = NULL;
	state->child_inputs[0] = state->input;
	return 0;
}

static int parse(const struct argp *argp, int argc, char **argv, void *input, unsigned int flags)
{
	/* The outer one prints the texts; argp would print them once for each level. */
	struct argp inner = *argp;
	const struct argp_child children[] = { { .argp = &inner }, { 0 } };
	const struct argp outer = {
		.parser = parse_outer,
		.args_doc = argp->args_doc,
		.doc = argp->doc,
		.children = children,
	};
	int next = argc;
	error_t err;

	inner.args_doc = inner.doc = NULL;
	err = argp_parse(&outer, argc, argv, flags, &next, input);
	if (!err && next < argc)
		err = args_bad("unexpected argument '%s'", argv[next]);
	return err ? -EINVAL : 0;
}

int args_parse(const struct argp *argp, int argc, char **argv, void *input)
{
	return parse(argp, argc, argv, input, 0);
}

int args_parse_quiet(const struct argp *argp, int argc, char **argv, void *input, struct buf *why)
{
	int err;

	told = why;
	err = parse(argp, argc, argv, input, ARGP_SILENT);
	told = NULL;
	return err;
}

error_t args_bad(const char *fmt, ...)
{
	char text[512];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (told)
		buf_addf(told, "%s\n", text);
	else
		log_err("%s", text);
	return EINVAL;
}
