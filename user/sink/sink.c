/* SPDX-License-Identifier: Apache-2.0 */
/* Fan-out of finished facts: filter, redact once, hand to every output. */
#include "sink/sink.h"

#include <errno.h>
#include <stdlib.h>

#include "sink/filter.h"
#include "sink/redact.h"

int sink_add(struct sink *s, const struct sink_ops *ops, void *self)
{
	if (s->n == SINKS_MAX)
		return -ENOSPC;
	s->row[s->n].ops = ops;
	s->row[s->n].self = self;
	s->n++;
	return 0;
}

void sink_call(struct sink *s, const struct call *c, const struct sink_peers *p)
{
	struct call shown = *c;
	char *uri = NULL;

	if (s->filter && !filter_call(s->filter, c, p))
		return;
	if (!s->content) {
		/* Out of memory shows no URI rather than a secret. */
		uri = c->resource ? redact_uri(c->resource) : NULL;
		shown.resource = uri;
		shown.params = shown.result = shown.error = NULL;
	}
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->call)
			s->row[i].ops->call(s->row[i].self, &shown, p);
	}
	free(uri);
}

void sink_note(struct sink *s, const struct note *n, const struct sink_peers *p)
{
	struct note shown = *n;

	if (s->filter && !filter_note(s->filter, n, p))
		return;
	if (!s->content)
		shown.params = NULL;
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->note)
			s->row[i].ops->note(s->row[i].self, &shown, p);
	}
}

void sink_session(struct sink *s, const struct session_event *e, const struct sink_peers *p)
{
	if (s->filter && !filter_session(s->filter, e, p))
		return;
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->session)
			s->row[i].ops->session(s->row[i].self, e, p);
	}
}

void sink_finding(struct sink *s, const struct finding *f, const struct sink_peers *p)
{
	if (s->filter && !filter_finding(s->filter, f, p))
		return;
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->finding)
			s->row[i].ops->finding(s->row[i].self, f, p);
	}
}

void sink_logical(struct sink *s, const struct logical *l, const struct sink_peers *p)
{
	struct logical shown = *l;
	struct call first = *l->first;
	char *uri = NULL;

	if (s->filter && !filter_call(s->filter, l->first, p))
		return;
	shown.first = &first;
	if (!s->content) {
		uri = first.resource ? redact_uri(first.resource) : NULL;
		first.resource = uri;
		first.params = first.result = first.error = NULL;
	}
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->logical)
			s->row[i].ops->logical(s->row[i].self, &shown, p);
	}
	free(uri);
}

void sink_alert(struct sink *s, const struct alert *a, const struct sink_peers *p)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->alert)
			s->row[i].ops->alert(s->row[i].self, a, p);
	}
}

void sink_loss(struct sink *s, const struct loss *l)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->loss)
			s->row[i].ops->loss(s->row[i].self, l);
	}
}

void sink_flush(struct sink *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (s->row[i].ops->flush)
			s->row[i].ops->flush(s->row[i].self);
	}
}

int sink_broken(const struct sink *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		int err = s->row[i].ops->broken ? s->row[i].ops->broken(s->row[i].self) : 0;

		if (err)
			return err;
	}
	return 0;
}

void sink_done(struct sink *s)
{
	sink_flush(s);
	while (s->n) {
		s->n--;
		if (s->row[s->n].ops->free)
			s->row[s->n].ops->free(s->row[s->n].self);
	}
}
