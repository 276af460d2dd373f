/* SPDX-License-Identifier: Apache-2.0 */
/* The agent live: the kernel side, the pipeline, one loop. */
#include "agent.h"
#include "agent_live.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "cmd/trace_opts.h"
#include "config.h"
#include "pipeline.h"
#include "probe/hooks.h"
#include "probe/probe.h"
#include "probe/tape.h"

#define NICE -10 /* the ring holds tens of milliseconds: on a busy processor a turn later is a loss */
#define TICK_MS 20
#define OUTPUT_TICKS 4  /* 80 ms: output is flushed at least each 100 ms */
#define LOSSES_TICKS 50 /* 1 s */

void agent_record_one(struct agent *a, const struct ev_hdr *h)
{
	a->records++;
	if (a->tape)
		tape_write(a->tape, h);
	if (a->pipe)
		pipeline_feed(a->pipe, h);
}

static void on_record(void *ctx, const struct ev_hdr *h)
{
	agent_hooks_record(ctx, h);
	agent_record_one(ctx, h);
}

void agent_verdict(void *ctx, const struct ev_key *key, uint8_t code)
{
	struct agent *a = ctx;

	if (a->probe)
		probe_verdict(a->probe, key, code);
}

void agent_drain(struct agent *a)
{
	int n;

	do {
		uint64_t now = clock_boot_ns();

		n = probe_consume(a->probe, on_record, a);
		if (a->pipe)
			pipeline_tick(a->pipe, now);
	} while (n == -EAGAIN);
}

void agent_losses(struct agent *a)
{
	probe_losses(a->probe, a->kernel);
	agent_hooks_losses(a);
	if (a->pipe)
		pipeline_losses(a->pipe, a->kernel, clock_boot_ns());
}

static void on_ring(void *ctx)
{
	agent_drain(ctx);
}

static void on_tick(void *ctx)
{
	struct agent *a = ctx;

	agent_drain(a);
	a->ticks++;
	if (a->ticks % LOSSES_TICKS == 0) {
		agent_losses(a);
		if (a->second)
			a->second(a->ctx);
	}
	if (!a->pipe || a->ticks % OUTPUT_TICKS)
		return;
	pipeline_output(a->pipe);
	if (pipeline_broken(a->pipe))
		evloop_stop(a->loop);
}

static void on_signal(void *ctx, int sig)
{
	struct agent *a = ctx;

	(void)sig;
	evloop_stop(a->loop);
}

int agent_loop(struct agent *a)
{
	int err;

	if (a->loop)
		return 0;
	a->loop = evloop_new();
	if (!a->loop)
		return -errno;
	err = evloop_signal(a->loop, SIGINT, on_signal, a);
	if (!err)
		err = evloop_signal(a->loop, SIGTERM, on_signal, a);
	if (!err)
		err = evloop_tick(a->loop, TICK_MS, on_tick, a);
	return err;
}

int agent_attach(struct agent *a)
{
	struct probe_opts opts = PROBE_OPTS_DEFAULT;
	int err;

	opts.tier = getenv("MCPVIGIL_TIER"); /* so that tests can compare them */
	opts.uprobes = getenv("MCPVIGIL_UPROBES");
	err = agent_loop(a);
	if (err)
		return err;
	prctl(PR_SET_DUMPABLE, 0); /* payloads of others pass through this memory */
	setpriority(PRIO_PROCESS, 0, NICE);
	a->probe = probe_new(&opts);
	if (!a->probe)
		return -EPERM; /* probe_new has said why */
	err = agent_hooks_start(a);
	if (err)
		return err;
	err = probe_list(a->probe, on_record, a);
	if (err) {
		log_err("cannot list open files: %s", errstr(err));
		return err;
	}
	err = evloop_add_fd(a->loop, probe_fd(a->probe), on_ring, a);
	if (err)
		return err;
	return 0;
}

int agent_watch(struct agent *a)
{
	int err = agent_attach(a);

	if (!err)
		agent_begin(a);
	return err;
}

void agent_begin(struct agent *a)
{
	agent_hooks_wait(a);
	agent_drain(a);
	a->started = clock_boot_ns();
}

void agent_watching(const struct agent *a)
{
	fprintf(stderr, "watching (tier %s)\n", probe_tier(a->probe));
	fflush(stderr);
}

void agent_finish(struct agent *a)
{
	agent_drain(a);
	pipeline_flush(a->pipe, clock_boot_ns());
	agent_losses(a);
	pipeline_output(a->pipe);
}

void agent_done(struct agent *a)
{
	hooks_stop(a->hooks);
	a->hooks = NULL;
	probe_free(a->probe);
	a->probe = NULL; /* verdicts have nowhere to go from here on */
	pipeline_free(a->pipe);
	evloop_free(a->loop);
}

int agent_trace(const struct trace_opts *o)
{
	struct trace_opts opts = *o;
	struct pipeline_opts po = {};
	struct summary sum = {};
	struct agent a = {};
	int err;

	opts.wall_offset = clock_wall_offset_ns();
	trace_facts(&opts, &po.facts);
	po.content_max = trace_content_max(&opts);
	po.no_tls = a.tls.off = opts.no_tls;
	a.tls.cache = CONFIG_TLS_CACHE;
	a.tls.confine = true;
	po.no_tls = opts.no_tls;
	err = trace_key(&opts);
	if (err)
		return err;
	a.pipe = pipeline_new(&po, agent_verdict, &a);
	err = a.pipe ? trace_sinks(facts_sink(pipeline_facts(a.pipe)), &opts, &sum) : -errno;
	if (err) {
		log_err("cannot start: %s", errstr(err));
		goto out;
	}
	err = agent_watch(&a);
	if (err)
		goto out;
	agent_watching(&a);
	err = evloop_run(a.loop);
	agent_finish(&a);
	if (!err)
		err = pipeline_broken(a.pipe);
	if (err != -EPIPE)
		trace_end(&opts, &sum, clock_boot_ns() - a.started);
	else
		err = 0; /* a reader that has seen enough is no failure */
out:
	agent_done(&a);
	return err;
}

int agent_record(const char *path, const struct trace_opts *o)
{
	struct agent a = { .tls = { .off = o->no_tls, .confine = true, .cache = CONFIG_TLS_CACHE } };
	int err;

	a.tape = tape_create(path, clock_wall_offset_ns());
	if (!a.tape) {
		err = -errno;
		log_err("cannot create %s: %s", path, errstr(err));
		return err;
	}
	err = agent_watch(&a);
	if (!err) {
		agent_watching(&a);
		log_info("%s will hold payloads of every MCP peer on this host; mode 0600", path);
		err = evloop_run(a.loop);
		agent_drain(&a);
		log_info("%llu records", (unsigned long long)a.records);
	}
	agent_done(&a);
	if (err)
		unlink(path);
	else
		err = tape_close(a.tape);
	if (err)
		log_err("recording %s failed: %s", path, errstr(err));
	return err;
}
