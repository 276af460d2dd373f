/* SPDX-License-Identifier: Apache-2.0 */
/* Connections: one kernel object each, with one or two streams, and the keys that lead to it. Private to flow/. */
#ifndef MCPVIGIL_FLOW_CONN_H
#define MCPVIGIL_FLOW_CONN_H

#include "base/table.h"
#include "flow/flow.h"
#include "flow/parts.h"
#include "flow/stream.h"

/* A key of the kernel side, and what it means. */
struct conn_key {
	struct table_node node;
	struct ev_key key;
	struct flow_conn *conn;
	uint8_t dir;
};

/* One TCP sock; [0] is the one seen first. */
struct conn_sock {
	bool known;
	uint32_t base_rx, base_tx;
	struct flow_addr local, remote;
};

struct conn_join {
	uint32_t base_rx, base_tx;
};

#define CONN_KEYS 4
#define CONN_LINGER_NS (5000 * 1000000ull)
/* What a TLS connection carries is held back until its socket is known: only then is it clear whether its other end is on
 * this host, too. It mostly is with the first answer. */
#define CONN_HOLD_NS (2000 * 1000000ull)

#define CONN_HELLOS 4096

/* Who has a TCP sock that carries TLS, whether or not its plaintext is seen. */
struct conn_hello {
	struct table_node node;
	struct conn_join join;
	struct flow_proc who;
};

/* A process that speaks TLS: is its plaintext read? */
struct conn_reader {
	struct table_node node;
	struct flow_proc who;
	bool read;
};

struct flow_conn {
	struct flow *flow;
	uint8_t chan;	 /* enum ev_chan */
	bool late, stdio;
	uint64_t late_ts; /* listed at that time: records from before have no origin yet */
	bool rpc;	 /* JSON-RPC was decoded */
	bool other;	 /* another protocol: not decoded until it is opened anew */
	bool http;	 /* ... and that was HTTP: a POST opens it */
	bool sure;	 /* mcp/ confirmed it */
	struct pump *pump;
	struct flow_stream s[2];
	struct conn_key keys[CONN_KEYS];
	uint8_t nkeys;
	struct conn_sock sock[2];
	/* TLS, by end as in @sock: enum tls_stack, whose it is, and whether it was there before the probes. */
	uint8_t tls[2];
	bool tls_late[2];
	struct flow_proc proc[2];
	uint64_t since; /* TLS: its first record */
	struct table_node join_node; /* TCP, other end not seen yet */
	struct conn_join join;
	bool joinable;
	struct table_node id_node[2]; /* by stream id */
	bool dead;		     /* on the flow's list of ended connections */
	uint64_t dead_ts;
	struct flow_conn *dead_next;
};

struct flow {
	struct flow_opts opts;
	struct flow_ops ops;
	struct table keys;  /* struct conn_key */
	struct table joins; /* struct flow_conn by conn_join */
	struct table ids;   /* struct flow_stream by id */
	struct table hellos; /* struct conn_hello by join */
	struct table readers; /* struct conn_reader by process */
	struct parts parts;
	struct flow_stream *waiting;
	struct flow_conn *dead_first, *dead_last; /* oldest first */
	struct flow_stats stats;
	struct pump_share share;
	uint64_t next_id, now;
};

/* The connection of @key, made where there is none; *ret_dir: which of its streams. NULL: out of memory, or
 * no key. */
struct flow_conn *conn_get(struct flow *f, const struct ev_key *key, uint8_t chan, uint8_t *ret_dir);
void conn_open(struct flow *f, const struct ev_open *o);
void conn_free(struct flow *f, struct flow_conn *c);
bool conn_is_held(const struct flow_conn *c, uint64_t now);
/* Are its records put into the order of time before they are decoded? A call is told of as it returns, when its answer may have been
 * told of already. */
bool conn_sorts(const struct flow_conn *c);
/* The process at @end of stream @s, where records name none; pid 0: not known. */
struct flow_proc conn_proc(const struct flow_conn *c, const struct flow_stream *s, int end);
/* That process is known by its TCP sock alone. */
bool conn_unread(const struct flow_conn *c, const struct flow_stream *s, int end);
/* Use the records of @end alone. */
void conn_only(struct flow *f, struct flow_stream *s, int end);

/* For conn_tls.c. */
/* In @t, by struct conn_join: the other end of the sock whose first sequence numbers are @rx and @tx. NULL. */
struct table_node *conn_join_find(struct table *t, uint32_t rx, uint32_t tx);
void conn_join_add(struct flow *f, struct flow_conn *c, const struct ev_open *o);
void conn_join_del(struct flow *f, struct flow_conn *c);
void conn_key_add(struct flow *f, struct flow_conn *c, const struct ev_key *key, uint8_t dir);
void conn_sock_set(struct conn_sock *s, const struct ev_open *o);
/* EV_OPEN of CHAN_TLS. */
void conn_open_tls(struct flow *f, const struct ev_open *o);
struct ev_hello;
void conn_hello(struct flow *f, const struct ev_hello *h);
struct ev_hooked;
void conn_hooked(struct flow *f, const struct ev_hooked *h);
void conn_tls_free(struct flow *f);
/* The other end of @c is a process of this host whose plaintext is not read: nothing will come from there. */
bool conn_is_alone(const struct flow_conn *c);

/* A stream of @c has ended. With its last one @c goes, CONN_LINGER_NS later: the other end's record of the last bytes
 * may still be on its way, and would begin the connection anew. */
void conn_ended(struct flow *f, struct flow_conn *c, uint64_t now);
void conn_bury(struct flow *f, uint64_t now);
/* How long to wait for a record of @end on stream @s, ns; 0: none can be expected. */
uint64_t conn_wait(const struct flow_conn *c, const struct flow_stream *s, int end);
/* The pump, made at first need. */
struct pump *conn_pump(struct flow_conn *c);
/* Tell the kernel side about every key of direction @dir (0xff: all). */
void conn_verdict(struct flow_conn *c, uint8_t dir, uint8_t code);
/* Tell the kernel side that both ends of @s are seen, once that is so and it is MCP. */
void conn_both(struct flow_conn *c, const struct flow_stream *s);
/* Decode it again after it was given up: its stdio went to another program, or a POST came. */
void conn_reopen(struct flow_conn *c);
/* The addresses of stream @s's writing and reading end. */
void conn_addrs(const struct flow_conn *c, const struct flow_stream *s, struct flow_addr *ret_src,
		struct flow_addr *ret_dst);

#endif
