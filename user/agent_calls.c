/* SPDX-License-Identifier: Apache-2.0 */
/* calls without a running agent: a capture of its own, shown as it goes on. */
#include <errno.h>
#include <unistd.h>

#include "agent.h"
#include "agent_live.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/evloop.h"
#include "base/log.h"
#include "calls.h"
#include "cmd/calls.h"
#include "pipeline.h"
#include "sink/out.h"

#define TEXT_MAX (1UL << 20)

struct watch {
	struct agent agent;
	const struct calls_args *args;
	struct lives lives;
	struct out out;
	int64_t wall_offset;
	uint32_t seconds;
};

static void on_second(void *ctx)
{
	struct watch *w = ctx;
	const struct calls_view v = { pipeline_facts(w->agent.pipe), &w->lives, clock_boot_ns(), w->wall_offset };
	struct buf text;

	if (++w->seconds % w->args->watch == 0) {
		buf_init(&text, TEXT_MAX);
		if (!w->args->json && w->seconds > w->args->watch)
			buf_add_ch(&text, '\n');
		calls_show(&v, w->args->json, &text);
		if (text.n)
			out_add(&w->out, buf_sv(&text));
		buf_done(&text);
		if (w->args->once)
			evloop_stop(w->agent.loop);
	}
	out_flush(&w->out);
	if (w->out.err)
		evloop_stop(w->agent.loop);
}

int agent_calls(const struct calls_args *args)
{
	struct watch w = { .args = args, .wall_offset = clock_wall_offset_ns() };
	struct pipeline_opts po = { 0 };
	int err;

	w.agent.second = on_second;
	w.agent.ctx = &w;
	out_init(&w.out, STDOUT_FILENO);
	facts_opts_default(&po.facts);
	w.agent.pipe = pipeline_new(&po, agent_verdict, &w.agent);
	err = w.agent.pipe ? sink_add(facts_sink(pipeline_facts(w.agent.pipe)), &lives_ops, &w.lives) : -errno;
	if (err)
		log_err("cannot start: %s", errstr(err));
	else
		err = agent_watch(&w.agent);
	if (!err) {
		log_info("what began before this is not seen");
		agent_watching(&w.agent);
		err = evloop_run(w.agent.loop);
	}
	if (!err && w.out.err != -EPIPE)
		err = w.out.err;
	agent_done(&w.agent);
	out_done(&w.out);
	return err;
}
