/* SPDX-License-Identifier: Apache-2.0 */
/* The client: a session from initialize to the end, calls of every outcome, several in flight
 * where they are small, ids of both types that clash. Checks what comes back, so that a pair
 * that lies about the bytes fails by itself. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pair.h"

#define BURST 8
#define EARLY 5 /* calls before anybody watches */
/* What is written while the server may be writing must fit in the buffers between the two, or both
 * wait for ever. A unix socket takes no more than some 270 pieces, however short. */
#define SMALL	    2000
#define CALLS_SMALL 12

static const struct kind {
	const char *method, *name_field, *name, *outcome;
	int code, weight;
	int8_t only; /* a framing; -1: any */
} kinds[] = {
	{ "tools/call", "tool", "echo", "ok", 0, 50, -1 },
	{ "tools/call", "tool", "fail", "tool_error", 0, 10, -1 },
	{ "tools/call", "tool", "nothing", "rpc_error", -32602, 8, -1 },
	{ "tools/call", "tool", "hang", "cancelled", 0, 4, FRAME_LINES },
	{ "tools/call", "tool", "busy", "http_error", 503, 4, FRAME_HTTP },
	{ "x/unknown", NULL, NULL, "rpc_error", -32601, 4, -1 },
	{ "ping", NULL, NULL, "ok", 0, 5, -1 },
	{ "tools/list", NULL, NULL, "ok", 0, 5, -1 },
	{ "resources/read", "resource", "file:///pair/x", "ok", 0, 5, -1 },
	{ "prompts/get", "prompt", "greet", "ok", 0, 5, -1 },
};
#define KINDS (sizeof(kinds) / sizeof(*kinds))
static const struct kind hello = { "initialize", NULL, NULL, "ok", 0, 0, -1 };
static const struct kind last = { "tools/call", "tool", "hang", "unanswered", 0, 0, FRAME_LINES };

struct flight {
	struct asked a;
	uint64_t sum; /* of the text in the request */
	bool text;
};
static struct flight flights[BURST];
static unsigned int open_n, serial;
static uint64_t moved; /* bytes of messages */

static const struct kind *any_kind(const struct frame *f)
{
	const struct kind *k;

	do
		k = &kinds[rnd() % KINDS];
	while ((k->only >= 0 && k->only != (int8_t)f->kind) || rnd() % 50 >= (uint64_t)k->weight);
	return k;
}

static void params(struct text *t, const struct kind *k, struct flight *fl, size_t max)
{
	bool late_name = one_in(2);
	size_t from;

	if (!strcmp(k->method, "initialize")) {
		text_str(t, "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},"
			    "\"clientInfo\":{\"name\":\"pair\",\"version\":\"1\"}}");
		return;
	}
	text_str(t, "{");
	if (!strcmp(k->method, "resources/read"))
		text_fmt(t, "\"uri\":\"%s\"", k->name);
	else if (!strcmp(k->method, "prompts/get"))
		text_fmt(t, "\"name\":\"%s\"", k->name);
	if (strcmp(k->method, "tools/call")) {
		text_str(t, "}");
		return;
	}
	if (!late_name)
		text_fmt(t, "\"name\":\"%s\",", k->name);
	if (one_in(3))
		text_fmt(t, "\"_meta\":{\"progressToken\":%u},", serial);
	text_fmt(t,
		 "\"arguments\":{\"key\":\"%s\",\"reply\":%zu,\"name\":\"x\",\"id\":-1,\"text\":\"",
		 fl->a.key, rnd_size(max));
	from = t->n - 1;
	text_filler(t, rnd_size(max));
	text_str(t, "\"");
	fl->sum = text_sum(t->p + from, t->n - from);
	text_str(t, late_name ? "}," : "}}");
	if (late_name)
		text_fmt(t, "\"name\":\"%s\"}", k->name);
}

/* A number and the string of its digits are different ids. */
static void next_id(struct asked *a)
{
	text_fmt(&(struct text){ a->id, 0, sizeof(a->id) }, serial % 2 ? "\"%u\"" : "%u",
		 serial / 2);
	if (a->name_field && !strcmp(a->name_field, "tool"))
		text_fmt(&(struct text){ a->key, 0, sizeof(a->key) }, "k%u", serial);
	serial++;
}

static struct pick whole(const struct text *t)
{
	return (struct pick){ t->p, t->n };
}

static void send_request(struct frame *f, const struct kind *k, size_t max)
{
	static struct text t;
	struct flight *fl = flights;

	while (fl->a.open)
		fl++;
	fl->a = (struct asked){ .method = k->method,
				.name_field = k->name_field,
				.outcome = k->outcome,
				.error_code = k->code,
				.open = true };
	if (k->name)
		pick_copy((struct pick){ k->name, strlen(k->name) }, fl->a.name,
			  sizeof(fl->a.name));
	next_id(&fl->a);
	fl->text = !strcmp(k->outcome, "ok") && fl->a.key[0];
	t.n = 0;
	if (one_in(2)) {
		text_fmt(&t,
			 "{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"%s\",\"params\":", fl->a.id,
			 k->method);
		params(&t, k, fl, max);
		text_str(&t, "}");
	} else {
		text_fmt(&t, "{\"method\":\"%s\",\"params\":", k->method);
		params(&t, k, fl, max);
		text_fmt(&t, ",\"jsonrpc\":\"2.0\",\"id\":%s}", fl->a.id);
	}
	fl->a.request_bytes = t.n;
	moved += t.n;
	open_n++;
	fl->a.begin = now_ns();
	frame_send(f, &t);
	truth_msg("out", "request", pick(whole(&t), "id"), pick(whole(&t), "method"), t.n);
}

static void send_note(struct frame *f, const char *method, const char *inner)
{
	static struct text t;

	t.n = 0;
	text_fmt(&t, "{\"jsonrpc\":\"2.0\",\"method\":\"%s\"%s%s}", method,
		 *inner ? ",\"params\":" : "", inner);
	frame_send(f, &t);
	truth_msg("out", "notification", (struct pick){ NULL, 0 }, pick(whole(&t), "method"), t.n);
	if (f->kind == FRAME_HTTP && frame_recv(f).n)
		die("a message instead of 202");
}

static void done(struct flight *fl)
{
	fl->a.open = false;
	open_n--;
	truth_call(&fl->a);
}

static void cancel(struct frame *f, struct flight *fl)
{
	char inner[80];

	text_fmt(&(struct text){ inner, 0, sizeof(inner) },
		 "{\"requestId\":%s,\"reason\":\"tired\"}", fl->a.id);
	send_note(f, "notifications/cancelled", inner);
	fl->a.end = now_ns();
	done(fl);
}

static void verify(const struct flight *fl, struct pick result)
{
	struct pick told = pick(result, "structuredContent"), list = pick(result, "content"), text;

	if (!fl->text)
		return;
	if (list.n < 2)
		die("no content");
	text = pick((struct pick){ list.p + 1, list.n - 2 }, "text");
	if (pick_num(told, "sum") != fl->sum ||
	    pick_num(told, "own") != text_sum(text.p + 1, text.n - 2))
		die("bytes changed on the way");
}

static void response(struct frame *f, struct pick m, uint64_t end)
{
	struct pick id = pick(m, "id"), error = pick(m, "error"), result = pick(m, "result");
	struct flight *fl;
	char raw[32];

	if (!m.n && f->kind == FRAME_HTTP && f->status < 400)
		die("no message in the response");
	for (fl = flights; fl < flights + BURST; fl++) {
		if (!fl->a.open)
			continue;
		if (m.n && !(id.n == strlen(fl->a.id) && !memcmp(id.p, fl->a.id, id.n)))
			continue;
		pick_copy(pick(error, "code"), raw, sizeof(raw));
		if (m.n && fl->a.error_code != strtol(raw, NULL, 10))
			die("another error than expected");
		if (result.p)
			verify(fl, result);
		fl->a.end = end;
		fl->a.response_bytes = m.n;
		moved += m.n;
		if (m.n)
			truth_msg("in", error.p ? "error" : "result", id, (struct pick){ NULL, 0 },
				  m.n);
		done(fl);
		return;
	}
	die("answer to nothing");
}

/* The server's own request. */
static void roots(struct frame *f, struct pick m)
{
	static struct text t;
	struct pick id = pick(m, "id");

	t.n = 0;
	text_fmt(&t, "{\"result\":{\"roots\":[]},\"jsonrpc\":\"2.0\",\"id\":%.*s}", (int)id.n,
		 id.p);
	truth_msg("in", "request", id, pick(m, "method"), m.n);
	frame_send(f, &t);
	truth_msg("out", "result", pick(whole(&t), "id"), (struct pick){ NULL, 0 }, t.n);
}

static void receive(struct frame *f)
{
	struct pick m, id, method;
	uint64_t end;

	while (open_n) {
		m = frame_recv(f);
		end = now_ns();
		if (!m.p)
			die("the server ended early");
		id = pick(m, "id");
		method = m.n ? pick(m, "method") : m;
		if (!m.n || !method.p)
			response(f, m, end);
		else if (id.p)
			roots(f, m);
		else
			truth_msg("in", "notification", id, method, m.n);
	}
}

/* The agent has a budget of bytes per process; a peer that stays far below it must lose nothing. */
static void pace(void)
{
	static uint64_t begin, rate;
	uint64_t due, now = now_ns();

	if (!begin) {
		begin = now;
		rate = getenv("PAIR_RATE") ? strtoul(getenv("PAIR_RATE"), NULL, 10) : 16000000;
	}
	due = rate ? begin + (uint64_t)((double)moved / (double)rate * 1e9) : now;
	if (due > now)
		usleep((useconds_t)((due - now) / 1000));
}

static void burst(struct frame *f, unsigned int *left, size_t max)
{
	unsigned int n = 1, i;
	struct flight *fl;

	if (one_in(f->kind == FRAME_HTTP ? 8 : 3))
		n = 2 + (unsigned int)(rnd() % (BURST - 2));
	if (n > *left)
		n = *left;
	f->wire.calls_max = n > 1 ? CALLS_SMALL : 0;
	for (i = 0; i < n; i++)
		send_request(f, any_kind(f), n == 1 || max < SMALL ? max : SMALL);
	f->wire.calls_max = CALLS_SMALL;
	*left -= n;
	for (fl = flights; fl < flights + BURST; fl++) {
		if (fl->a.open && !strcmp(fl->a.outcome, "cancelled"))
			cancel(f, fl);
	}
	receive(f);
	f->wire.calls_max = 0;
	pace();
}

static void early(struct frame *f, size_t max)
{
	unsigned int calls = EARLY;

	while (calls)
		burst(f, &calls, max);
	truth_wait();
}

void pair_client(struct frame *f, unsigned int calls, size_t max)
{
	struct flight *fl = flights;

	send_request(f, &hello, 0);
	receive(f);
	send_note(f, "notifications/initialized", "");
	if (truth_is_late())
		early(f, max);
	while (calls)
		burst(f, &calls, max);
	if (f->kind == FRAME_HTTP) {
		frame_delete(f);
		return;
	}
	send_request(f, &last, SMALL);
	while (!fl->a.open)
		fl++;
	done(fl);
}
