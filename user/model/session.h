/* SPDX-License-Identifier: Apache-2.0 */
/* A session's beginning and end, and findings: facts that are not calls. */
#ifndef MCPVIGIL_MODEL_SESSION_H
#define MCPVIGIL_MODEL_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "model/call.h"

/* Record "session". Strings are borrowed from the session table for the time of the callback. */
struct session_event {
	bool end;
	bool late; /* began before the agent */
	uint64_t ts;
	const char *session;
	uint64_t session_no;
	const char *client_name, *client_version, *server_name, *server_version;
	const char *protocol_version, *requested_version;
	uint64_t calls, errors, duration_ns; /* at the end */
	const char *reason;		     /* at the end: "eof", "exit", "delete", "idle", "shutdown" */
	uint64_t startup_ns;		     /* initialize: from its first byte to its answer's last; 0: not seen */
	struct route route;
};

/* Record "finding". @name is a fixed word; @evidence is a JSON object made by us, or NULL. */
struct finding {
	const char *name;
	const char *severity; /* "info", "notice", "warning" */
	const char *session;  /* NULL: see @proc */
	struct proc_id proc;
	uint64_t ts, count;
	const char *evidence;
	bool forgeable;
};

#endif
