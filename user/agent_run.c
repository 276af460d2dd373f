/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: the agent with all its outputs, its control socket, and no more rights than that takes. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent.h"
#include "agent_live.h"
#include "agent_self.h"
#include "agent_sinks.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/fp.h"
#include "base/log.h"
#include "base/num.h"
#include "cmd/trace_opts.h"
#include "config.h"
#include "ctl.h"
#include "pipeline.h"
#include "priv.h"
#include "probe/hooks.h"
#include "probe/probe.h"
#include "tls_show.h"

struct run {
	struct agent a;
	const struct config_args *args;
	struct config *first; /* of the start: the outputs point into it */
	struct config *cfg;   /* in force */
	struct agent_sinks sinks;
	struct ctl *ctl;
	struct self_stats self;
};

static void on_second(void *ctx)
{
	struct run *r = ctx;
	struct ctl_stats ctl;

	agent_self(&r->a, &r->first->facts, &r->self);
	agent_sinks_self(&r->sinks, &r->self);
	if (r->ctl) {
		ctl_stats(r->ctl, &ctl);
		r->self.lost[C_SUBSCRIBER_DROPPED] = ctl.dropped;
	}
	if (r->sinks.prom)
		prom_self(r->sinks.prom, &r->self);
}

/* For the control socket. */
static void on_drain(void *ctx)
{
	struct run *r = ctx;

	agent_drain(&r->a);
	agent_losses(&r->a);
}

static void on_doctor(void *ctx, struct buf *out)
{
	struct run *r = ctx;
	struct hooks_stats hooks;

	on_second(r);
	self_show(&r->self, out);
	pipeline_show_opaque(r->a.pipe, out);
	priv_show(out);
	if (r->a.hooks) {
		hooks_stats(r->a.hooks, &hooks);
		tls_show_hooks(&hooks, out);
	}
}

/* All of the new configuration or nothing. */
static int reload(struct run *r)
{
	struct config *fresh = malloc(sizeof(*fresh));
	struct buf names;
	int err = fresh ? config_load(fresh, r->args) : -ENOMEM;

	buf_init(&names, 4096);
	if (!err && config_reload_refused(r->cfg, fresh, &names)) {
		log_err("reload refused, the old configuration stays: %.*s cannot change while running", (int)names.n,
			names.p);
		err = -EINVAL;
	} else if (err) {
		log_err("reload failed, the old configuration stays");
	}
	buf_done(&names);
	if (err) {
		free(fresh);
		return err;
	}
	facts_reload(pipeline_facts(r->a.pipe), &fresh->facts);
	if (r->cfg != r->first)
		free(r->cfg);
	r->cfg = fresh;
	log_info("configuration reloaded");
	return 0;
}

static void on_hangup(void *ctx, int sig)
{
	struct run *r = ctx;

	(void)sig;
	r->self.config_ok = reload(r) == 0;
	r->self.config_reloads += r->self.config_ok;
	r->self.config_failures += !r->self.config_ok;
}

static int key_load(const struct config *c)
{
	uint8_t key[FP_KEY_BYTES];
	int err;

	if (!c->key_file[0])
		return 0;
	err = fp_key_load(c->key_file, key);
	if (err == -EPERM)
		log_err("key_file %s: others may write it or its folder, or it is not ours", c->key_file);
	else if (err)
		log_err("key_file %s: %s", c->key_file, err == -EBADMSG ? "holds no key" : errstr(err));
	else
		fp_key_set(key);
	explicit_bzero(key, sizeof(key));
	return err;
}

static int pipeline_of(struct run *r)
{
	struct pipeline_opts *po = calloc(1, sizeof(*po));

	if (!po)
		return -ENOMEM;
	po->facts = r->cfg->facts;
	po->idents = r->cfg->idents;
	po->no_tls = !r->cfg->tls;
	po->content_max = r->cfg->content ? TRACE_CONTENT_MAX : 0;
	po->no_tls = !r->cfg->tls;
	r->a.pipe = pipeline_new(po, agent_verdict, &r->a);
	free(po);
	if (!r->a.pipe)
		return -errno;
	facts_sink(pipeline_facts(r->a.pipe))->content = r->cfg->content;
	return 0;
}

static int socket_of(struct run *r)
{
	struct facts *f = pipeline_facts(r->a.pipe);
	struct ctl_opts o = {
		.path = r->first->socket,
		.uid = geteuid(),
		.content = r->first->content,
		.settle_ns = CTL_SETTLE_NS,
	};
	struct ctl_ops ops = { on_drain, on_doctor, r };
	int err;

	if (!o.path[0])
		return 0;
	r->ctl = ctl_new(r->a.loop, &o, &ops, f);
	if (!r->ctl)
		return -errno;
	err = sink_add(facts_sink(f), &ctl_sink_ops, r->ctl);
	if (err) {
		ctl_free(r->ctl);
		r->ctl = NULL;
	}
	return err;
}

static int bpf_works(void *ctx)
{
	struct run *r = ctx;

	return probe_works(r->a.probe);
}

static int drop(struct run *r)
{
	const char *log = r->cfg->alertlog.path, *colon = strrchr(r->cfg->prom.listen, ':');
	uint64_t port;
	struct priv_need need = {
		.writes = log[0] && strcmp(log, "-") != 0,
		.low_port = colon && !num_u64(sv_of(colon + 1), &port) && port < 1024,
		.bpf_works = bpf_works,
		.ctx = r,
	};

	return r->cfg->drop_privileges ? priv_drop(&need) : 0;
}

/* Whoever runs already is found before anything is attached; rights are dropped before the outputs start threads. */
static int start(struct run *r)
{
	int err = key_load(r->cfg);

	if (!err)
		err = agent_loop(&r->a);
	if (!err)
		err = evloop_signal(r->a.loop, SIGHUP, on_hangup, r);
	if (!err)
		err = pipeline_of(r);
	if (!err)
		err = socket_of(r);
	r->a.tls = (struct agent_tls){ !r->first->tls, r->first->drop_privileges, r->first->tls_fuse_network,
				       r->first->tls_cache };
	if (!err)
		err = agent_attach(&r->a);
	if (!err)
		err = drop(r);
	if (!err)
		err = agent_sinks_new(&r->sinks, facts_sink(pipeline_facts(r->a.pipe)), r->first, clock_wall_offset_ns());
	if (err)
		return err;
	r->a.second = on_second;
	r->a.ctx = r;
	agent_begin(&r->a);
	on_second(r);
	agent_watching(&r->a);
	return 0;
}

int agent_run(const struct config_args *args)
{
	struct run *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	signal(SIGPIPE, SIG_IGN);
	r->args = args;
	r->self.config_ok = true;
	r->first = r->cfg = malloc(sizeof(*r->cfg));
	err = r->cfg ? config_load(r->cfg, args) : -ENOMEM;
	if (!err)
		err = start(r);
	if (!err) {
		err = evloop_run(r->a.loop);
		agent_finish(&r->a);
		if (r->ctl)
			ctl_stop(r->ctl);
	}
	agent_done(&r->a);
	if (r->cfg != r->first)
		free(r->cfg);
	free(r->first);
	free(r);
	return err;
}
