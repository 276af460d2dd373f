/* SPDX-License-Identifier: Apache-2.0 */
/* The outputs of `mcpvigil run`. */
#include "agent_sinks.h"

#include <errno.h>

#include "base/err.h"
#include "base/log.h"

/* Takes @made over; NULL there is the -errno of its maker. */
static int sink_take(struct sink *s, const struct sink_ops *ops, void *made, const char *what)
{
	int err = made ? sink_add(s, ops, made) : -errno;

	if (!err)
		return 0;
	if (made && ops->free)
		ops->free(made);
	log_err("%s: %s", what, errstr(err));
	return err;
}

static int alertmanagers_new(struct agent_sinks *o, struct sink *s, const struct config *c, int64_t wall_offset)
{
	int err = 0;

	for (unsigned int i = 0; i < c->alertmanagers && !err; i++) {
		struct alertmanager_opts opts = c->alertmanager[i];
		void *made;

		opts.labels = &c->labels;
		opts.wall_offset = wall_offset;
		made = alertmanager_new(&opts);
		err = sink_take(s, &alertmanager_ops, made, "alertmanager");
		if (!err)
			o->alertmanager[o->alertmanagers++] = made;
	}
	return err;
}

static int webhooks_new(struct agent_sinks *o, struct sink *s, const struct config *c, int64_t wall_offset)
{
	int err = 0;

	for (unsigned int i = 0; i < c->webhooks && !err; i++) {
		struct webhook_opts opts = c->webhook[i];
		void *made;

		opts.labels = &c->labels;
		opts.wall_offset = wall_offset;
		made = webhook_new(&opts);
		err = sink_take(s, &webhook_ops, made, "webhook");
		if (!err)
			o->webhook[o->webhooks++] = made;
	}
	return err;
}

static int alertlog_add(struct agent_sinks *o, struct sink *s, const struct config *c, int64_t wall_offset)
{
	struct alertlog_opts opts = c->alertlog;
	void *made;
	int err;

	if (!opts.path[0])
		return 0;
	opts.labels = &c->labels;
	opts.wall_offset = wall_offset;
	made = alertlog_new(&opts);
	err = sink_take(s, &alertlog_ops, made, opts.path);
	if (!err)
		o->alertlog = made;
	return err;
}

int agent_sinks_new(struct agent_sinks *o, struct sink *s, const struct config *c, int64_t wall_offset)
{
	int err = alertlog_add(o, s, c, wall_offset);

	if (!err && c->prom.listen[0]) {
		struct prom *made = prom_new(&c->prom);

		err = sink_take(s, &prom_ops, made, "prometheus");
		if (!err)
			o->prom = made;
	}
	if (!err)
		err = alertmanagers_new(o, s, c, wall_offset);
	return err ? err : webhooks_new(o, s, c, wall_offset);
}

void agent_sinks_self(const struct agent_sinks *o, struct self_stats *ret)
{
	ret->sinks = 0;
	if (o->alertlog)
		alertlog_self(o->alertlog, &ret->sink[ret->sinks++]);
	for (unsigned int i = 0; i < o->alertmanagers && ret->sinks < SELF_SINKS; i++)
		alertmanager_self(o->alertmanager[i], &ret->sink[ret->sinks++]);
	for (unsigned int i = 0; i < o->webhooks && ret->sinks < SELF_SINKS; i++)
		webhook_self(o->webhook[i], &ret->sink[ret->sinks++]);
}
