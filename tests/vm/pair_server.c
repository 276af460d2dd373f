/* SPDX-License-Identifier: Apache-2.0 */
/* The server: answers as asked, in every order of keys, with notifications and requests of its
 * own in between. */
#include <string.h>
#include <unistd.h>

#include "pair.h"

#define ASKED_MAX 64

static struct asked asked[ASKED_MAX];
static unsigned int asked_n;

static void answer(struct text *t, struct pick id, const char *what, const struct text *body)
{
	int layout = (int)(rnd() % 3);

	if (layout == 0)
		text_fmt(t, "{\"jsonrpc\":\"2.0\",\"id\":%.*s,\"%s\":", (int)id.n, id.p, what);
	else if (layout == 1)
		text_fmt(t, "{\"%s\":", what);
	else
		text_fmt(t, "{ \"id\" : %.*s, \"%s\" : ", (int)id.n, id.p, what);
	text_add(t, body->p, body->n);
	if (layout == 1)
		text_fmt(t, ",\"jsonrpc\":\"2.0\",\"id\":%.*s}", (int)id.n, id.p);
	else
		text_str(t, layout ? ", \"jsonrpc\" : \"2.0\" }" : "}");
}

/* A tool's result. Beside the text it tells what came in and holds keys that mean something only
 * further up. */
static void tool_result(struct text *body, struct pick args, bool is_error)
{
	struct pick in = pick(args, "text");
	uint64_t own;
	size_t from;

	text_str(body, "{\"content\":[{\"type\":\"text\",\"text\":\"");
	from = body->n;
	text_filler(body, pick_num(args, "reply"));
	own = text_sum(body->p + from, body->n - from);
	text_str(body, "\"}]");
	if (is_error)
		text_str(body, ",\"isError\":true");
	else if (one_in(3))
		text_str(body, ",\"isError\":false");
	text_fmt(body,
		 ",\"structuredContent\":{\"id\":7,\"method\":\"ping\",\"error\":{\"code\":1},"
		 "\"isError\":%s",
		 is_error ? "false" : "true");
	text_fmt(body, ",\"got\":%zu,\"sum\":%llu,\"own\":%llu}}", in.n,
		 (unsigned long long)(in.p ? text_sum(in.p, in.n) : 0), (unsigned long long)own);
}

static const char *error_body(struct text *body, int code, const char *why)
{
	text_fmt(body, "{\"code\":%d,\"message\":\"%s\"}", code, why);
	return "error";
}

/* Fill @body; "result" or "error", NULL for no answer at all. */
static const char *handle(struct frame *f, struct pick m, struct text *body, int *status)
{
	struct pick method = pick(m, "method"), params = pick(m, "params"),
		    name = pick(params, "name");

	if (pick_is(method, "initialize")) {
		if (f->kind == FRAME_HTTP)
			text_fmt(&(struct text){ f->session, 0, sizeof(f->session) }, "s-%d",
				 (int)getpid());
		text_str(body,
			 "{\"protocolVersion\":\"2025-11-25\",\"capabilities\":{\"tools\":{}},"
			 "\"serverInfo\":{\"name\":\"pair\",\"version\":\"1\"}}");
	} else if (pick_is(method, "ping")) {
		text_str(body, "{}");
	} else if (pick_is(method, "tools/list")) {
		text_str(body,
			 "{\"tools\":[{\"name\":\"echo\",\"inputSchema\":{\"type\":\"object\"}}]}");
	} else if (pick_is(method, "resources/read")) {
		text_str(body, "{\"contents\":[{\"uri\":\"file:///pair/x\",\"text\":\"x\"}]}");
	} else if (pick_is(method, "prompts/get")) {
		text_str(body, "{\"messages\":[]}");
	} else if (!pick_is(method, "tools/call")) {
		return error_body(body, -32601, "no such method");
	} else if (pick_is(name, "hang")) {
		return NULL;
	} else if (pick_is(name, "busy")) {
		*status = 503;
		return NULL;
	} else if (pick_is(name, "echo") || pick_is(name, "fail")) {
		tool_result(body, pick(params, "arguments"), pick_is(name, "fail"));
	} else {
		return error_body(body, -32602, "no such tool");
	}
	return "result";
}

static void ask_roots(struct frame *f)
{
	static struct text t;
	struct asked *a = &asked[asked_n];

	if (asked_n == ASKED_MAX)
		return;
	t.n = 0;
	*a = (struct asked){ .method = "roots/list", .open = true };
	/* Ids of their own: they clash with the client's. */
	text_fmt(&t, "{\"jsonrpc\":\"2.0\",\"id\":%u,\"method\":\"roots/list\"}", asked_n);
	text_fmt(&(struct text){ a->id, 0, sizeof(a->id) }, "%u", asked_n++);
	a->request_bytes = t.n;
	a->begin = now_ns();
	frame_reply(f, NULL, &t, 200);
	truth_msg("out", "request", pick((struct pick){ t.p, t.n }, "id"),
		  pick((struct pick){ t.p, t.n }, "method"), t.n);
}

static void answered(struct pick m)
{
	struct pick id = pick(m, "id");
	uint64_t end = now_ns();
	unsigned int i;

	for (i = 0; i < asked_n; i++) {
		if (!asked[i].open || !pick_is(id, asked[i].id))
			continue;
		asked[i].open = false;
		asked[i].end = end;
		asked[i].outcome = "ok";
		asked[i].response_bytes = m.n;
		truth_call(&asked[i]);
		truth_msg("in", "result", id, (struct pick){ NULL, 0 }, m.n);
		return;
	}
	die("answer to nothing");
}

static void note(struct text *t, struct pick m)
{
	struct pick token = pick(pick(pick(m, "params"), "_meta"), "progressToken");

	if (token.p && one_in(2)) {
		text_fmt(t,
			 "{\"method\":\"notifications/"
			 "progress\",\"params\":{\"progressToken\":%.*s,\"progress\":1},"
			 "\"jsonrpc\":\"2.0\"}",
			 (int)token.n, token.p);
	} else if (one_in(4)) {
		text_str(t, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/"
			    "message\",\"params\":{\"level\":\"info\","
			    "\"data\":\"");
		text_filler(t, rnd_size(2000));
		text_str(t, "\"}}");
	}
}

static void request(struct frame *f, struct pick m)
{
	static struct text body, reply, before;
	struct pick id = pick(m, "id"), params = pick(m, "params"), key, none = { NULL, 0 };
	uint64_t begin = now_ns();
	int status = 200;
	const char *what;

	body.n = reply.n = before.n = 0;
	what = handle(f, m, &body, &status);
	if (!what && status == 200)
		return;
	if (f->kind == FRAME_LINES && one_in(10))
		ask_roots(f);
	if (what) {
		answer(&reply, id, what, &body);
		note(&before, m);
	}
	if (one_in(4))
		usleep((useconds_t)(rnd() % 2000));
	key = pick(pick(params, "arguments"), "key");
	if (key.p)
		truth_handler(pick(params, "name"), key, now_ns() - begin);
	frame_reply(f, &before, what ? &reply : NULL, status);
	if (before.n)
		truth_msg("out", "notification", none,
			  pick((struct pick){ before.p, before.n }, "method"), before.n);
	if (what)
		truth_msg("out", what, id, none, reply.n);
}

void pair_server(struct frame *f)
{
	struct pick m, id, method;
	unsigned int i;

	for (m = frame_recv(f); m.p; m = frame_recv(f)) {
		id = pick(m, "id");
		method = pick(m, "method");
		if (!method.p) {
			answered(m);
			continue;
		}
		truth_msg("in", id.p ? "request" : "notification", id, method, m.n);
		if (id.p)
			request(f, m);
		else
			frame_reply(f, NULL, NULL, 200);
	}
	for (i = 0; i < asked_n; i++) {
		if (asked[i].open)
			die("the client ended without an answer");
	}
}
