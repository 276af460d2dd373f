/* SPDX-License-Identifier: Apache-2.0 */
#include "mcp/finished.h"

#include <stdlib.h>

#include "mcp/inflight.h"
#include "mcp/outcome.h"

struct finished *finished_take(struct mcp *m, struct pending *p)
{
	struct finished *f = malloc(sizeof(*f));

	if (!f) {
		m->stats.no_memory++;
		return NULL;
	}
	*f = (struct finished){ p->call, session_ref(p->s), p->step };
	p->call = NULL;
	return f;
}

void finished_tell(struct mcp *m, struct finished *f, struct whole *whole)
{
	outcome_tell(m, f, whole);
	session_unref(f->s);
	free(f);
}

void finished_drop(struct finished *f)
{
	if (!f)
		return;
	session_unref(f->s);
	call_free(f->c);
	free(f);
}
