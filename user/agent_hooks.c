/* SPDX-License-Identifier: Apache-2.0 */
/* The process that puts probes on TLS libraries, as the agent's loop sees it: it is told of programs, of processes that speak TLS and
 * of those that end, and says whom it looked at. */
#include "agent_live.h"

#include <errno.h>

#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "event_tls.h"
#include "priv_hooks.h"
#include "probe/hooks.h"
#include "probe/probe.h"

#define READY_MS 30000
#define WAIT_MS 20

static void on_hooked(void *ctx, const struct ev_hdr *h)
{
	agent_record_one(ctx, h);
}

static void on_news(void *ctx)
{
	struct agent *a = ctx;
	int err = hooks_consume(a->hooks, on_hooked, a);

	if (!err)
		return;
	log_err("TLS is not read any more: the process that holds the probes is gone (%s)", errstr(err));
	evloop_del_fd(a->loop, hooks_fd(a->hooks));
	hooks_stop(a->hooks);
	a->hooks = NULL;
}

int agent_hooks_start(struct agent *a)
{
	struct hooks_opts o = {
		.cache_dir = a->tls.cache && a->tls.cache[0] ? a->tls.cache : NULL,
		.fuse_network = a->tls.fuse_network,
		.confine = a->tls.confine ? priv_confine_hooks : NULL,
	};
	int err;

	if (a->tls.off || probe_tls_why(a->probe)[0])
		return 0;
	a->hooks = hooks_start(a->probe, &o);
	if (!a->hooks) {
		err = -errno;
		log_warn("TLS connections are not read: the process for the probes cannot be started: %s", errstr(err));
		return 0;
	}
	return evloop_add_fd(a->loop, hooks_fd(a->hooks), on_news, a);
}

void agent_hooks_wait(struct agent *a)
{
	int err = a->hooks ? -ETIMEDOUT : 0;

	/* The rings go on filling. */
	for (int ms = 0; err == -ETIMEDOUT && ms < READY_MS; ms += WAIT_MS) {
		agent_drain(a);
		err = hooks_wait(a->hooks, WAIT_MS);
	}
	if (err)
		log_warn("not every process that runs was looked at for TLS libraries yet: %s", errstr(err));
}

void agent_hooks_record(struct agent *a, const struct ev_hdr *h)
{
	if (!a->hooks)
		return;
	if (h->kind == EV_EXEC && !(h->flags & EV_F_LATE))
		hooks_look(a->hooks, h->pid, ((const struct ev_exec *)h)->start, HOOKS_EXEC);
	else if (h->kind == EV_HELLO)
		hooks_look(a->hooks, h->pid, ((const struct ev_hello *)h)->start, HOOKS_HELLO);
	else if (h->kind == EV_ODD)
		hooks_odd(a->hooks, (const struct ev_odd *)h);
	else if (h->kind == EV_EXIT)
		hooks_look(a->hooks, h->pid, ((const struct ev_exit *)h)->start, HOOKS_EXIT);
}

void agent_hooks_losses(struct agent *a)
{
	if (!a->hooks)
		return;
	a->kernel[C_HOOKS_BUSY] = hooks_busy(a->hooks);
	a->kernel[C_HOOKS_RESTARTS] = hooks_restarts(a->hooks);
}
