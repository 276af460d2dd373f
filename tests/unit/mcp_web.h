/* SPDX-License-Identifier: Apache-2.0 */
/* For the tests of mcp/: a web client and server that exchange messages made by hand. */
#ifndef MCPVIGIL_TESTS_MCP_WEB_H
#define MCPVIGIL_TESTS_MCP_WEB_H

#include "mcp_words.h"

#include <sys/socket.h>

/* Streams of connection n: 2n and 2n+1. An exchange as it stands. */
struct web {
	struct peers p;
	uint64_t exchanges;
	uint32_t client; /* process */
	uint8_t tls;	 /* of messages, enum tls_stack */
};

static inline void web_begin(struct web *w)
{
	memset(w, 0, sizeof(*w));
	peers_init(&w->p, NULL);
	w->client = 10;
}

static inline void web_done(struct web *w)
{
	mcp_flush(w->p.m, w->p.now);
	peers_done(&w->p);
}

static inline struct mcp_http web_post(struct web *w, const char *target)
{
	return (struct mcp_http){
		.id = ++w->exchanges,
		.method = SV("POST"),
		.target = sv_of(target),
		.host = SV("localhost:3000"),
		.http_version = 11,
	};
}

static inline struct mcp_http web_in_session(struct web *w, const char *id)
{
	struct mcp_http x = web_post(w, "/mcp");

	x.session_id = sv_of(id);
	return x;
}

static inline struct mcp_http web_get(struct web *w, const char *target)
{
	struct mcp_http x = web_post(w, target);

	x.method = SV("GET");
	return x;
}

static inline struct net_addr web_addr(uint8_t host, uint16_t port)
{
	return (struct net_addr){ .family = AF_INET, .port = port, .ip = { 127, 0, 0, host } };
}

static inline void web_ask(struct web *w, struct mcp_http *x, struct rpc_msg r)
{
	struct mcp_msg msg = words_line(&w->p, 2 * x->id, w->client, 20);

	msg.reverse = 2 * x->id + 1;
	msg.channel = CHANNEL_TCP;
	msg.tls = w->tls;
	msg.src = web_addr(1, (uint16_t)(40000 + x->id));
	msg.dst = web_addr(1, 3000);
	x->in_response = false;
	msg.http = x;
	words_say(&w->p, msg, r);
}

/* In the response's body, whose status is 200 unless set. */
static inline void web_tell(struct web *w, struct mcp_http *x, struct rpc_msg r)
{
	struct mcp_msg msg = words_line(&w->p, 2 * x->id + 1, 20, w->client);

	msg.reverse = 2 * x->id;
	msg.channel = CHANNEL_TCP;
	msg.tls = w->tls;
	msg.dst = web_addr(1, (uint16_t)(40000 + x->id));
	msg.src = web_addr(1, 3000);
	x->in_response = true;
	if (!x->status)
		x->status = 200;
	msg.http = x;
	words_say(&w->p, msg, r);
}

static inline void web_over(struct web *w, struct mcp_http *x)
{
	x->done = true;
	w->p.now += MS;
	x->last_r = w->p.now;
	mcp_http_done(w->p.m, x, w->p.now);
}

static inline void web_broken(struct web *w, struct mcp_http *x)
{
	x->aborted = true;
	w->p.now += MS;
	mcp_http_done(w->p.m, x, w->p.now);
}

static inline void web_hello(struct web *w, const char *id)
{
	struct mcp_http x = web_post(w, "/mcp");

	web_ask(w, &x, words_request("0", "initialize"));
	if (id)
		x.session_id = sv_of(id);
	web_tell(w, &x, words_welcome("0"));
	web_over(w, &x);
}

static inline struct call *web_last(struct web *w)
{
	assert_true(w->p.calls > 0);
	return w->p.call[w->p.calls - 1];
}

#endif
