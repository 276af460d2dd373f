/* SPDX-License-Identifier: Apache-2.0 */
/* One call on several hops: a relay (bridge, gateway, docker CLI) asks its server what it was asked itself.
 *
 * The inner hop's client is the outer hop's server process, its request was sent while the outer one was in flight, and
 * both have the trace or vendor's call id in common, or method, target and arguments. Where more than one outer call
 * fits, or more than one inner call, nothing is merged. */
#ifndef MCPVIGIL_MCP_RELAY_H
#define MCPVIGIL_MCP_RELAY_H

#include "mcp/finished.h"
#include "mcp/state.h"

struct pending;
struct relay_slot;

enum relay_by { BY_TRACE, BY_VENDOR, BY_ARGS, BY_PASSING, RELAY_BYS };
enum relay_hop { HOP_OUTER, HOP_INNER, HOPS };
enum relay_bond { BOND_NONE, BOND_FIT, BOND_ID }; /* the one call that fits; that has the same id, too */

/* Of a request in flight. */
struct relay {
	struct relay_link {
		struct list link;
		struct relay_slot *slot;
		struct pending *p;
	} by[HOPS][RELAY_BYS]; /* where the other hop looks for it, as which it is */
	struct list inners, as_inner;
	struct pending *outer;
	struct finished *held;	 /* the inner hop, complete */
	struct finished *over;	 /* the outer hop, complete before this one was */
	struct list awaited;	 /* over: by when that was */
	uint64_t over_at;
	enum relay_bond bond;	 /* with outer */
	enum relay_bond claim;	 /* the strongest of inner hops */
	bool several;		 /* inner hops claim it so: none of them is one */
	bool doubt;		 /* several outer ones fit */
	uint64_t trace, vendor;	 /* hashes; 0: none */
};

int relays_init(struct mcp *m);
void relays_done(struct mcp *m);
void relay_init(struct relay *r);
/* @p was just made: find the call that it is an inner hop of, or that is an inner hop of it, and let others find it. */
void relay_asked(struct mcp *m, struct pending *p, const struct mcp_msg *msg);
/* @p is complete. true: it is held by its outer hop, @p->call is not the caller's any more. */
bool relay_hold(struct mcp *m, struct pending *p);
/* @p is complete: the inner hop that it held becomes a part of it, or is told by itself. */
void relay_settle(struct mcp *m, struct pending *p);
/* @p is complete, and its inner hop is not: it waits for it. true: as relay_hold(). */
bool relay_await(struct mcp *m, struct pending *p);
/* @p is complete: its outer hop, if that waits, is told. true: @p is a part of it, and not told. */
bool relay_end(struct mcp *m, struct pending *p);
/* The outer hop that waits for @p, if one does, is told without it. */
void relay_release(struct mcp *m, struct pending *p);
/* @s is over: what waits of it is told. */
void relay_session_end(struct mcp *m, const struct session *s);
void relay_tick(struct mcp *m);
/* @p leaves; what it still holds is freed. */
void relay_leave(struct mcp *m, struct pending *p);
/* Nobody is answered any more: what is held is told by itself. */
void relay_flush(struct mcp *m);

/* Between relay.c and relay_ends.c: @p is no inner hop any more; what @r holds is told, and its inner hops are none; what it holds
 * is freed. */
void relay_part(struct pending *p);
void relay_let_go(struct mcp *m, struct relay *r);
void relay_drop(struct mcp *m, struct relay *r);

#endif
