/* SPDX-License-Identifier: Apache-2.0 */
/* Which servers, and which tools of them, have been seen: by hash, with a cap. What was not used for longest is
 * forgotten first, and would be new once more. */
#ifndef MCPVIGIL_DETECT_ALERTS_KNOWN_H
#define MCPVIGIL_DETECT_ALERTS_KNOWN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/table.h"

struct known {
	struct table names;
	uint64_t begin; /* boot ns of the first name */
};

/* Room for @max names. 0 or -ENOMEM. */
int known_init(struct known *k, uint32_t max);
void known_done(struct known *k);
/* Whether @server is new at @now. Within @learn_ns of the first name, nothing is. */
bool known_new_server(struct known *k, const char *server, uint64_t now, uint64_t learn_ns);
/* Whether @tool is new on a server that was seen before: within @learn_ns of a server's own first sight, all its tools
 * are taken as given. Call known_new_server first. */
bool known_new_tool(struct known *k, const char *server, const char *tool, uint64_t now, uint64_t learn_ns);

#endif
