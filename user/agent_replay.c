/* SPDX-License-Identifier: Apache-2.0 */
/* A recording through the same pipeline: time is what its records say, so a replay prints the same each time. */
#include <errno.h>

#include "agent.h"
#include "base/err.h"
#include "base/log.h"
#include "cmd/trace_opts.h"
#include "pipeline.h"
#include "probe/tape.h"

#define TICK_NS 20000000ull

static int replay_run(struct tape *tape, struct pipeline *p, const struct trace_opts *o, const struct summary *sum)
{
	uint64_t first = 0, last = 0, tick = 0;
	bool truncated = false;
	const struct ev_hdr *h;

	for (h = tape_read(tape, &truncated); h; h = tape_read(tape, &truncated)) {
		if (!first)
			first = tick = h->ts;
		if (h->ts > last)
			last = h->ts;
		for (; last >= tick + TICK_NS; tick += (last - tick) / TICK_NS * TICK_NS)
			pipeline_tick(p, last);
		pipeline_feed(p, h);
	}
	pipeline_flush(p, last);
	pipeline_losses(p, NULL, last);
	pipeline_output(p);
	if (pipeline_broken(p) == -EPIPE)
		return 0;
	if (truncated)
		log_err("the recording ends inside a record, or is damaged there");
	trace_end(o, sum, last - first);
	return truncated ? -EBADMSG : pipeline_broken(p);
}

int agent_replay(const char *path, const struct trace_opts *o)
{
	struct trace_opts opts = *o;
	struct pipeline_opts po = {};
	struct summary sum = {};
	struct pipeline *p = NULL;
	struct tape *tape = tape_open(path, &opts.wall_offset);
	int err;

	if (!tape) {
		err = -errno;
		log_err("cannot read %s: %s", path,
			err == -EBADMSG ? "not a recording of mcpvigil" : errstr(err));
		return err;
	}
	trace_facts(&opts, &po.facts);
	po.content_max = trace_content_max(&opts);
	err = trace_key(&opts);
	if (!err)
		p = pipeline_new(&po, NULL, NULL);
	if (!err)
		err = p ? trace_sinks(facts_sink(pipeline_facts(p)), &opts, &sum) : -errno;
	if (!err)
		err = replay_run(tape, p, &opts, &sum);
	if (err && err != -EBADMSG)
		log_err("replay of %s failed: %s", path, errstr(err));
	pipeline_free(p);
	tape_close(tape);
	return err;
}
