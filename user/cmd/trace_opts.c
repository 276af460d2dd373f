/* SPDX-License-Identifier: Apache-2.0 */
/* Options that trace, record and replay share: what to print, and how. */
#include "cmd/trace_opts.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/fp.h"
#include "base/log.h"
#include "base/num.h"
#include "cmd/args.h"
#include "sink/compact.h"
#include "sink/json.h"

enum {
	OPT_PID = 256,
	OPT_COMM,
	OPT_SERVER,
	OPT_TOOL,
	OPT_METHOD,
	OPT_ERRORS,
	OPT_SLOW,
	OPT_CONTENT,
	OPT_COLOR,
	OPT_KEY,
};

static const struct argp_option options[] = {
	{ "output", 'o', "FORMAT", 0, "compact (default), json, or none: only the summary", 1 },
	{ "content", OPT_CONTENT, NULL, 0,
	  "print params, results and errors, and URIs complete; without it no payload is shown", 1 },
	{ "color", OPT_COLOR, "WHEN", 0,
	  "auto (default: on a terminal, unless NO_COLOR is set), always, or never", 1 },
	{ "key-file", OPT_KEY, "FILE", 0,
	  "key of the fingerprints (made if missing); default: " FP_KEY_FILE " where it can be read, else a "
	  "key for this run alone",
	  1 },
	{ NULL, 0, NULL, 0,
	  "Filters. Each but --errors and --slow can be given several times: any of its values will do. "
	  "All that are given have to be met. TEXT* stands for all that begins with TEXT. The summary "
	  "counts what passes; losses always do.",
	  2 },
	{ "pid", OPT_PID, "PID", 0, "client or server is this process", 2 },
	{ "comm", OPT_COMM, "NAME", 0, "client or server is a process of this name", 2 },
	{ "server", OPT_SERVER, "NAME", 0,
	  "the server's process name, base name of its program, IP:PORT, IP, or :PORT", 2 },
	{ "tool", OPT_TOOL, "NAME", 0, "calls of this tool", 2 },
	{ "method", OPT_METHOD, "NAME", 0, "calls and notifications of this method", 2 },
	{ "errors", OPT_ERRORS, NULL, 0, "calls that did not end well", 2 },
	{ "slow", OPT_SLOW, "TIME", 0, "calls that took at least so long: 500ms, 2s", 2 },
	{ 0 },
};

/* Index of @arg in the NULL-ended @words, or -1. */
static int word_index(const char *const *words, const char *arg)
{
	for (int i = 0; words[i]; i++) {
		if (sv_eq(sv_of(words[i]), sv_of(arg)))
			return i;
	}
	return -1;
}

static error_t set_format(struct trace_opts *o, const char *arg)
{
	static const char *const words[] = { "compact", "json", "none", NULL };
	int i = word_index(words, arg);

	if (i < 0)
		return args_bad("-o '%s': not one of compact, json, none", arg);
	o->format = (enum trace_format)i;
	return 0;
}

static error_t set_color(struct trace_opts *o, const char *arg)
{
	static const char *const words[] = { "auto", "always", "never", NULL };
	int i = word_index(words, arg);

	if (i < 0)
		return args_bad("--color '%s': not one of auto, always, never", arg);
	o->color = (enum trace_color)i;
	return 0;
}

static error_t add_pid(struct trace_opts *o, const char *arg)
{
	uint64_t pid;

	if (num_u64(sv_of(arg), &pid) || pid == 0 || pid > INT32_MAX)
		return args_bad("--pid '%s': not a process id", arg);
	if (filter_add_pid(&o->filter, (uint32_t)pid))
		return args_bad("--pid: more than %d values", FILTER_VALUES);
	return 0;
}

static error_t add_word(struct filter_words *w, const char *option, const char *arg)
{
	if (!arg[0])
		return args_bad("--%s: empty value", option);
	if (filter_add_word(w, arg))
		return args_bad("--%s: more than %d values", option, FILTER_VALUES);
	return 0;
}

static error_t set_slow(struct trace_opts *o, const char *arg)
{
	uint64_t ns;

	if (num_duration(sv_of(arg), &ns) || ns == 0)
		return args_bad("--slow '%s': not a time such as 500ms or 2s", arg);
	o->filter.slow_ns = ns;
	return 0;
}

static error_t parse_opt(int key, char *arg, struct argp_state *state)
{
	struct trace_opts *o = state->input;

	switch (key) {
	case 'o':
		return set_format(o, arg);
	case OPT_COLOR:
		return set_color(o, arg);
	case OPT_CONTENT:
		o->content = true;
		return 0;
	case OPT_KEY:
		o->key_file = arg;
		return 0;
	case OPT_PID:
		return add_pid(o, arg);
	case OPT_COMM:
		return add_word(&o->filter.comm, "comm", arg);
	case OPT_SERVER:
		return add_word(&o->filter.server, "server", arg);
	case OPT_TOOL:
		return add_word(&o->filter.tool, "tool", arg);
	case OPT_METHOD:
		return add_word(&o->filter.method, "method", arg);
	case OPT_ERRORS:
		o->filter.errors = true;
		return 0;
	case OPT_SLOW:
		return set_slow(o, arg);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

const struct argp trace_opts_argp = { .options = options, .parser = parse_opt };

/* no-color.org: any non-empty value; an explicit option overrides it. */
bool trace_color(const struct trace_opts *o)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");

	if (o->color != TRACE_COLOR_AUTO)
		return o->color == TRACE_COLOR_ALWAYS;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]) &&
	       !(term && sv_eq(sv_of(term), SV("dumb")));
}

int trace_key(const struct trace_opts *o)
{
	const char *path = o->key_file ? o->key_file : FP_KEY_FILE;
	uint8_t key[FP_KEY_BYTES];
	int err;

	if (!o->key_file && access(path, R_OK))
		return 0;
	err = fp_key_load(path, key);
	if (err == -EPERM)
		log_err("%s: not only ours to write, or not ours", path);
	else if (err == -EBADMSG)
		log_err("%s: holds no key", path);
	else if (err)
		log_err("%s: %s", path, errstr(err));
	else
		fp_key_set(key);
	explicit_bzero(key, sizeof(key));
	return o->key_file ? err : 0;
}

int trace_sinks(struct sink *s, const struct trace_opts *o, struct summary *sum)
{
	const struct sink_ops *ops = NULL;
	void *self = NULL;
	int err;

	signal(SIGPIPE, SIG_IGN);
	s->filter = &o->filter;
	s->content = o->content;
	if (o->format == TRACE_JSON) {
		ops = &json_sink_ops;
		self = json_sink_new(STDOUT_FILENO, o->wall_offset);
	} else if (o->format == TRACE_COMPACT) {
		ops = &compact_ops;
		self = compact_new(STDOUT_FILENO, o->wall_offset, trace_color(o));
	}
	if (ops && !self)
		return -errno;
	err = ops ? sink_add(s, ops, self) : 0;
	if (!err && o->extra)
		err = sink_add(s, o->extra, o->extra_self);
	return err ? err : sink_add(s, &summary_ops, sum);
}

void trace_facts(const struct trace_opts *o, struct facts_opts *ret)
{
	if (o->facts)
		*ret = *o->facts;
	else
		facts_opts_default(ret);
}

void trace_end(const struct trace_opts *o, const struct summary *sum, uint64_t ns)
{
	if (!o->quiet)
		summary_print(sum, ns, trace_summary_is_json(o));
}
