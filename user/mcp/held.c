/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of messages. Most of the extracted values of a message are absent, so only the others are kept. */
#include "mcp/held.h"

#include <stdlib.h>
#include <string.h>

/* All views of an HTTP exchange. */
static const size_t http_views[] = {
	offsetof(struct mcp_http, method),	  offsetof(struct mcp_http, target),
	offsetof(struct mcp_http, host),	  offsetof(struct mcp_http, session_id),
	offsetof(struct mcp_http, version),	  offsetof(struct mcp_http, last_event_id),
	offsetof(struct mcp_http, user_agent),	  offsetof(struct mcp_http, sse_event),
	offsetof(struct mcp_http, sse_id),
};

#define HTTP_VIEWS (sizeof(http_views) / sizeof(http_views[0]))

static size_t measure(const struct mcp_msg *msg, size_t *ret_values)
{
	const struct rpc_msg *rpc = msg->rpc;
	size_t size = rpc->params.n + rpc->result.n + rpc->error.n, n = 0;

	for (size_t f = 0; f < RPC_F_N; f++) {
		if (rpc->f[f].type == RPC_ABSENT)
			continue;
		n++;
		size += rpc->f[f].text.n;
	}
	for (size_t i = 0; msg->http && i < HTTP_VIEWS; i++)
		size += ((const struct sv *)((const char *)msg->http + http_views[i]))->n;
	size += rpc->marks ? sizeof(*rpc->marks) : 0;
	size += rpc->n_tools * sizeof(*rpc->tools);
	*ret_values = n;
	return sizeof(struct held) + n * sizeof(struct held_value) + size;
}

/* Copy @s to *@at and move on. */
static struct sv put(char **at, struct sv s)
{
	struct sv copy = { *at, s.n };

	if (s.n > 0)
		memcpy(*at, s.p, s.n);
	*at += s.n;
	return copy;
}

static void put_values(struct held *h, const struct rpc_msg *rpc, char **at)
{
	size_t n = 0;

	for (size_t f = 0; f < RPC_F_N; f++) {
		if (rpc->f[f].type == RPC_ABSENT)
			continue;
		h->values[n] = (struct held_value){ rpc->f[f], (uint8_t)f };
		h->values[n++].v.text = put(at, rpc->f[f].text);
	}
}

/* First behind the values, where the memory is aligned as theirs. */
static void put_marks(struct held *h, const struct rpc_msg *rpc, char **at)
{
	_Static_assert(_Alignof(struct rpc_marks) <= _Alignof(struct held_value) &&
			       sizeof(struct rpc_marks) % _Alignof(struct rpc_tool) == 0,
		       "both are aligned there");
	if (rpc->marks) {
		h->rpc.marks = (const struct rpc_marks *)(void *)*at;
		put(at, (struct sv){ (const char *)rpc->marks, sizeof(*rpc->marks) });
	}
	if (rpc->n_tools) {
		h->rpc.tools = (const struct rpc_tool *)(void *)*at;
		put(at, (struct sv){ (const char *)rpc->tools, rpc->n_tools * sizeof(*rpc->tools) });
	}
	h->rpc.n_tools = rpc->n_tools;
	h->rpc.tools_cut = rpc->tools_cut;
}

static void put_http(struct held *h, const struct mcp_http *http, char **at)
{
	h->http = *http;
	h->msg.http = &h->http;
	for (size_t i = 0; i < HTTP_VIEWS; i++) {
		struct sv *view = (struct sv *)((char *)&h->http + http_views[i]);

		*view = put(at, *view);
	}
}

struct held *held_new(const struct mcp_msg *msg, uint64_t seq, uint64_t at)
{
	const struct rpc_msg *rpc = msg->rpc;
	size_t n, size = measure(msg, &n);
	struct held *h = malloc(size);
	char *p;

	if (!h)
		return NULL;
	memset(h, 0, sizeof(*h));
	list_init(&h->link);
	h->seq = seq;
	h->at = at;
	h->size = size;
	h->n = n;
	h->msg = *msg;
	h->msg.rpc = NULL;
	h->msg.transcript = NULL;
	p = (char *)&h->values[n];
	h->rpc = (struct rpc_msg_head){
		.kind = rpc->kind,
		.batch = rpc->batch,
		.content_cut = rpc->content_cut,
		.beg = rpc->beg,
		.end = rpc->end,
		.bytes = rpc->bytes,
		.dup_keys = rpc->dup_keys,
	};
	put_marks(h, rpc, &p);
	h->rpc.params = put(&p, rpc->params);
	h->rpc.result = put(&p, rpc->result);
	h->rpc.error = put(&p, rpc->error);
	put_values(h, rpc, &p);
	if (msg->http)
		put_http(h, msg->http, &p);
	return h;
}

void held_free(struct held *h)
{
	free(h);
}

void held_view(const struct held *h, struct mcp_msg *ret_msg, struct rpc_msg *ret_rpc)
{
	*ret_rpc = (struct rpc_msg){
		.kind = h->rpc.kind,
		.batch = h->rpc.batch,
		.content_cut = h->rpc.content_cut,
		.beg = h->rpc.beg,
		.end = h->rpc.end,
		.bytes = h->rpc.bytes,
		.params = h->rpc.params,
		.result = h->rpc.result,
		.error = h->rpc.error,
		.marks = h->rpc.marks,
		.tools = h->rpc.tools,
		.n_tools = h->rpc.n_tools,
		.tools_cut = h->rpc.tools_cut,
		.dup_keys = h->rpc.dup_keys,
	};
	for (size_t i = 0; i < h->n; i++)
		ret_rpc->f[h->values[i].field] = h->values[i].v;
	*ret_msg = h->msg;
	ret_msg->rpc = ret_rpc;
}

const struct rpc_value *held_field(const struct held *h, enum rpc_field f)
{
	static const struct rpc_value absent;

	for (size_t i = 0; i < h->n; i++)
		if (h->values[i].field == f)
			return &h->values[i].v;
	return &absent;
}

void held_queue_init(struct held_queue *q)
{
	*q = (struct held_queue){ 0 };
	list_init(&q->list);
}

void held_queue_add(struct held_queue *q, struct held *h)
{
	list_add(&q->list, &h->link);
	q->n++;
	q->bytes += h->size;
}

struct held *held_queue_take(struct held_queue *q)
{
	struct held *h = held_queue_first(q);

	if (!h)
		return NULL;
	list_del(&h->link);
	q->n--;
	q->bytes -= h->size;
	return h;
}

void held_queue_drop(struct held_queue *q)
{
	for (struct held *h = held_queue_take(q); h; h = held_queue_take(q))
		held_free(h);
}
