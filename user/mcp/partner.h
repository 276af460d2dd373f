/* SPDX-License-Identifier: Apache-2.0 */
/* Which stream is the other half of a stream. */
#ifndef MCPVIGIL_MCP_PARTNER_H
#define MCPVIGIL_MCP_PARTNER_H

#include "mcp/wire.h"

/* Rules 1 to 3: join @w, which is unpaired, with its other half (w->d). Sets go first: what they leave open waits for
 * the grace time before the other rules may decide; @late: it is over. false: not now. */
bool partner_find(struct mcp *m, struct wire *w, bool late);
/* Rule 4, which looks at many streams. */
bool partner_find_by_ids(struct mcp *m, struct wire *w);

#endif
