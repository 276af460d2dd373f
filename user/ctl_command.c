/* SPDX-License-Identifier: Apache-2.0 */
/* What a client of the control socket can ask for. */
#include "ctl_command.h"

#include <inttypes.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/evloop.h"
#include "base/num.h"
#include "calls.h"
#include "cmd/args.h"
#include "cmd/calls.h"
#include "cmd/trace.h"

int ctl_take(void *ctx, struct sv line)
{
	struct peer *p = ctx;
	int err = ctl_queue_add(&p->out, CTL_STDOUT, line, p->spare);

	if (err)
		p->ctl->dropped++;
	/* One turn of the loop may bring more than the queue holds to a reader that keeps up. */
	if (ctl_queue_n(&p->out) > CTL_PUSH_BYTES)
		ctl_queue_send(&p->out, p->fd);
	if (!p->wants_out && ctl_queue_n(&p->out))
		p->wants_out = !evloop_want(p->ctl->loop, p->fd, p->state == PEER_TRACING, true);
	return err;
}

/* false: refused, with @p told why. */
static bool trace_args(const struct ctl *c, struct peer *p, struct trace_opts *ret)
{
	struct trace_args a = { 0 };
	struct buf why;
	int err;

	buf_init(&why, 2048);
	err = args_parse_quiet(&trace_argp, p->argc - 1, p->argv + 1, &a, &why);
	if (err) {
		if (why.n)
			why.n--; /* its newline */
		if (!why.n || buf_add_ch(&why, '\0'))
			peer_refuse(p, 2, "trace: the agent does not know these options");
		else
			peer_refuse(p, 2, why.p);
	} else if (a.trace.content && !c->opts.content) {
		err = 1;
		peer_refuse(p, 1, "--content: the running agent keeps no payloads; set `content: true' in its "
				  "configuration, or use --no-agent");
	} else if (a.trace.key_file) {
		err = 1;
		peer_refuse(p, 1, "--key-file: the running agent has a key of its own; use --no-agent");
	}
	buf_done(&why);
	if (a.trace.color == TRACE_COLOR_AUTO)
		a.trace.color = strcmp(p->argv[1], "color") == 0 ? TRACE_COLOR_ALWAYS : TRACE_COLOR_NEVER;
	*ret = a.trace;
	return !err;
}

static void run_trace(struct ctl *c, struct peer *p)
{
	struct trace_opts opts;
	struct buf line;

	if (!trace_args(c, p, &opts))
		return;
	if (opts.content)
		p->out.b.max = CTL_QUEUE_CONTENT;
	p->spare = CTL_SPARE;
	c->ops.drain(c->ops.ctx); /* what happened before is not this trace's */
	if (ctl_sub_open(&p->sub, &opts, ctl_take, p)) {
		ctl_sub_close(&p->sub);
		peer_refuse(p, 1, "the agent has no memory for this trace");
		return;
	}
	buf_init(&line, 128);
	buf_addf(&line, "watching (agent %d)\n", (int)getpid());
	peer_say(p, CTL_STDERR, buf_sv(&line));
	buf_done(&line);
	p->state = PEER_TRACING;
}

void ctl_trace_end(struct ctl *c, struct peer *p)
{
	struct buf text;

	buf_init(&text, CTL_SPARE / 2);
	p->spare = CTL_SPARE / 2; /* the loss record may use the other half */
	ctl_sub_end(&p->sub, c->facts, &text);
	ctl_sub_close(&p->sub);
	p->spare = 0;
	peer_say(p, CTL_STDERR, buf_sv(&text));
	buf_done(&text);
	peer_status(p, 0);
}

static void run_doctor(struct ctl *c, struct peer *p)
{
	struct ctl_stats s;
	struct buf text;
	char up[16];

	ctl_stats(c, &s);
	num_show_ns(clock_boot_ns() - c->started, up);
	buf_init(&text, CTL_TEXT_MAX);
	buf_addf(&text, "\nagent       running, pid %d, for %s\n", (int)getpid(), up);
	buf_addf(&text, "clients     %u of %d, %" PRIu64 " records not sent to slow ones\n", s.clients, CTL_CLIENTS,
		 s.dropped);
	c->ops.doctor(c->ops.ctx, &text);
	peer_say(p, CTL_STDOUT, buf_sv(&text));
	buf_done(&text);
	peer_status(p, 0);
}

static void run_calls(struct ctl *c, struct peer *p)
{
	const struct calls_view v = {
		.facts = c->facts,
		.lives = &c->lives,
		.now = clock_boot_ns(),
		.wall_offset = clock_wall_offset_ns(),
	};
	struct calls_args a = { 0 };
	struct buf text, why;

	buf_init(&why, 2048);
	buf_init(&text, CTL_TEXT_MAX);
	if (args_parse_quiet(&calls_argp, p->argc - 1, p->argv + 1, &a, &why)) {
		peer_refuse(p, 2, "calls: the agent does not know these options");
	} else {
		c->ops.drain(c->ops.ctx);
		calls_show(&v, a.json, &text);
		peer_say(p, CTL_STDOUT, buf_sv(&text));
		peer_status(p, 0);
	}
	buf_done(&text);
	buf_done(&why);
}

void ctl_command(struct ctl *c, struct peer *p)
{
	static const struct {
		const char *name;
		void (*run)(struct ctl *c, struct peer *p);
	} table[] = { { "trace", run_trace }, { "doctor", run_doctor }, { "calls", run_calls } };

	c->asked++;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		if (strcmp(table[i].name, p->argv[0]) == 0) {
			table[i].run(c, p);
			return;
		}
	}
	c->refused++;
	peer_refuse(p, 2, "the agent does not know this command");
}
