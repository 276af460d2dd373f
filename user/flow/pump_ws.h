/* SPDX-License-Identifier: Apache-2.0 */
/* The WebSocket part of a pump, shared by pump*.c only. */
#ifndef MCPVIGIL_FLOW_PUMP_WS_H
#define MCPVIGIL_FLOW_PUMP_WS_H

#include "flow/pump_http.h"
#include "proto/websocket.h"

struct pump_ws {
	struct websocket frames;
	struct pump_part packed;  /* messages that are compressed, with one history; others are in pump_dir.part */
	struct pump_part *at;	  /* of the message at hand; NULL: passed over */
	bool broken;		  /* compressed ones cannot be read any more */
};

/* After "101 Switching Protocols" in the response direction @d. */
void pump_ws_upgrade(struct pump_dir *d);
size_t pump_ws_feed(struct pump_dir *d, struct sv in); /* bytes taken */
void pump_ws_gap(struct pump_dir *d, uint64_t len);
uint64_t pump_ws_needs(const struct pump_dir *d);
void pump_ws_free(struct pump_dir *d);

#endif
