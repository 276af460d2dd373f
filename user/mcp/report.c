/* SPDX-License-Identifier: Apache-2.0 */
/* Findings. Evidence is made of our own words and numbers, never of payload. */
#include "mcp/report.h"

#include "base/jsonw.h"

struct evidence {
	struct buf text;
	struct jsonw w;
};

static void evidence_begin(struct evidence *e)
{
	buf_init(&e->text, 256);
	jsonw_init(&e->w, &e->text);
	jsonw_open(&e->w, NULL, '{');
}

/* Report @f with the evidence, if there is any. */
static void tell(struct mcp *m, struct finding f, struct evidence *e)
{
	bool empty = e->text.n <= 1;

	jsonw_close(&e->w, '}');
	f.ts = m->now;
	if (buf_add_ch(&e->text, '\0') == 0 && !empty && !e->w.bad)
		f.evidence = e->text.p;
	if (m->ops.finding)
		m->ops.finding(m->ops.ctx, &f);
	buf_done(&e->text);
}

void report_other(struct mcp *m, enum shape shape, const struct proc_id *proc, uint64_t count)
{
	struct finding f = {
		.name = "other_protocol", .severity = "info", .proc = *proc, .count = count
	};
	struct evidence e;

	evidence_begin(&e);
	jsonw_cstr(&e.w, "protocol", shape_name(shape));
	tell(m, f, &e);
}

void report_unpaired(struct mcp *m, const struct report_unpaired *u)
{
	struct finding f = {
		.name = u->ambiguous ? "unpaired_stream" : "no_answering_direction",
		.severity = "info",
		.proc = u->writer.pid ? u->writer : u->reader,
		.count = u->count,
	};
	struct evidence e;

	evidence_begin(&e);
	if (u->writer.pid)
		jsonw_u64(&e.w, "writer", u->writer.pid);
	if (u->reader.pid)
		jsonw_u64(&e.w, "reader", u->reader.pid);
	if (u->copy)
		jsonw_bool(&e.w, "copy", true);
	tell(m, f, &e);
}

void report_noise(struct mcp *m, const struct session *s, uint8_t from, uint64_t lines, uint64_t bytes)
{
	bool server = from == SIDE_SERVER;
	struct finding f = {
		.name = server ? "noise_on_stdout" : "noise_on_stdin",
		.severity = "notice",
		.session = s->name,
		.proc = server ? s->route.server : s->route.client,
		.count = lines,
	};
	struct evidence e;

	evidence_begin(&e);
	if (bytes)
		jsonw_u64(&e.w, "bytes", bytes);
	tell(m, f, &e);
}

void report_unanswered(struct mcp *m, const struct session *s, uint64_t waited_ns)
{
	struct finding f = {
		.name = "initialize_unanswered",
		.severity = "notice",
		.session = s->name,
		.proc = s->route.server,
		.count = 1,
	};
	struct evidence e;

	evidence_begin(&e);
	jsonw_u64(&e.w, "waited_ms", waited_ns / 1000000);
	tell(m, f, &e);
}

void report_died(struct mcp *m, const struct session *s, uint32_t calls)
{
	struct finding f = {
		.name = "server_died_in_flight",
		.severity = "warning",
		.session = s->name,
		.proc = s->route.server,
		.count = calls,
	};
	struct evidence e;

	evidence_begin(&e);
	jsonw_u64(&e.w, "calls", calls);
	tell(m, f, &e);
}

void report_dup_keys(struct mcp *m, const struct session *s)
{
	struct finding f = {
		.name = "duplicate_keys",
		.severity = "notice",
		.session = s->name,
		.proc = s->dup_by == SIDE_CLIENT ? s->route.client : s->route.server,
		.count = 1,
	};
	struct evidence e;

	evidence_begin(&e);
	jsonw_cstr(&e.w, "from", s->dup_by == SIDE_CLIENT ? "client" : "server");
	tell(m, f, &e);
}
