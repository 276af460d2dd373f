/* SPDX-License-Identifier: Apache-2.0 */
/* Options that trace, record and replay share: what to print, and how. */
#ifndef MCPVIGIL_CMD_TRACE_OPTS_H
#define MCPVIGIL_CMD_TRACE_OPTS_H

#include <argp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "facts.h"
#include "sink/filter.h"
#include "sink/sink.h"
#include "sink/summary.h"

/* Kept of each params, result and error with --content; the rest is named "<key>_cut". */
#define TRACE_CONTENT_MAX (1UL << 20)

enum trace_format { TRACE_COMPACT, TRACE_JSON, TRACE_NONE };
enum trace_color { TRACE_COLOR_AUTO, TRACE_COLOR_ALWAYS, TRACE_COLOR_NEVER };

/* All zero is the default. Strings are borrowed from argv. */
struct trace_opts {
	enum trace_format format;
	enum trace_color color;
	bool content;
	const char *key_file; /* of fingerprints; NULL: the usual one where it can be read, else a key for this run */
	struct filter filter;
	/* No options; the command sets them. */
	const struct facts_opts *facts; /* NULL: the defaults */
	const struct sink_ops *extra;	/* NULL: no output besides */
	void *extra_self;		/* stays the caller's */
	bool quiet;			/* no summary */
	bool no_tls;			/* put no probes on TLS libraries, and say nothing of them */
	int64_t wall_offset; /* wall time minus the records' time, ns */
};

/* Child of a command's argp; its input is a struct trace_opts. */
extern const struct argp trace_opts_argp;

/* For struct rpc_opts and pump_opts. */
static inline size_t trace_content_max(const struct trace_opts *o)
{
	return o->content ? TRACE_CONTENT_MAX : 0;
}

/* The detection that @o asks for, or the defaults. */
void trace_facts(const struct trace_opts *o, struct facts_opts *ret);
/* The last line on standard error, unless @o is quiet. */
void trace_end(const struct trace_opts *o, const struct summary *sum, uint64_t ns);
/* true where the summary is a JSON object. */
static inline bool trace_summary_is_json(const struct trace_opts *o)
{
	return o->format != TRACE_COMPACT;
}

/* Whether compact lines on our standard output are to be coloured. */
bool trace_color(const struct trace_opts *o);
/* Set the key of fingerprints as @o says. 0; or -errno after a line on standard error. */
int trace_key(const struct trace_opts *o);
/* Fill @s, zeroed, with the outputs that @o asks for: records on standard output, counts in @sum. @o and
 * @sum must outlive @s. SIGPIPE is ignored from here on: the loop polls sink_broken(). 0 or -errno. */
int trace_sinks(struct sink *s, const struct trace_opts *o, struct summary *sum);

#endif
