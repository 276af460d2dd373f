/* SPDX-License-Identifier: Apache-2.0 */
/* Which records pass. Values of one option are alternatives, options narrow each other.
 *
 * The filter stands in front of every output, the summary included: what is counted is what was
 * printed. Losses always pass, since a filter must not make them look complete.
 *
 * Record	  process options   --method	 --tool, --errors, --slow
 * call		  either end	    as sent	 yes
 * notification	  either end	    as sent	 never passes
 * session	  either end	    never passes never passes
 * finding	  its process	    ignored	 ignored */
#ifndef MCPVIGIL_SINK_FILTER_H
#define MCPVIGIL_SINK_FILTER_H

#include <stdbool.h>
#include <stdint.h>

#include "model/call.h"
#include "model/session.h"
#include "sink/sink.h"

#define FILTER_VALUES 32 /* of one option */

/* Borrowed strings. One that ends in '*' stands for all that begin so. */
struct filter_words {
	const char *v[FILTER_VALUES];
	unsigned int n;
};

struct filter {
	uint32_t pid[FILTER_VALUES]; /* of either end */
	unsigned int pids;
	struct filter_words comm;    /* of either end; compared in the 15 characters the kernel keeps */
	struct filter_words server;  /* comm, base name of exe, "ip:port", "ip" or ":port" */
	struct filter_words tool, method;
	bool errors;		     /* every outcome but ok; an orphan only with an error code */
	bool only_alerts;	     /* nothing else passes, but losses */
	uint64_t slow_ns;	     /* took at least so long, or waited so long for nothing */
};

/* 0, or -ENOSPC past FILTER_VALUES. */
int filter_add_word(struct filter_words *w, const char *value);
int filter_add_pid(struct filter *f, uint32_t pid);

/* @p and what it points to may be NULL: an unknown end matches no process option. */
bool filter_call(const struct filter *f, const struct call *c, const struct sink_peers *p);
bool filter_note(const struct filter *f, const struct note *n, const struct sink_peers *p);
bool filter_session(const struct filter *f, const struct session_event *e,
		    const struct sink_peers *p);
bool filter_finding(const struct filter *f, const struct finding *x, const struct sink_peers *p);

#endif
