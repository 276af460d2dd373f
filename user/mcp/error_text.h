/* SPDX-License-Identifier: Apache-2.0 */
/* Does a text report an error, and of what kind? Many servers answer errors with isError false; the text tells. */
#ifndef MCPVIGIL_MCP_ERROR_TEXT_H
#define MCPVIGIL_MCP_ERROR_TEXT_H

#include "base/sv.h"
#include "model/call.h"

/* Of the first 512 bytes of an answer's text (struct rpc_marks.head), unescaped, possibly an envelope of JSON with the
 * text in it. Pure; bytes may be anything, and cut anywhere. */
enum error_class error_text(struct sv text);
/* The same for a text that is known to be of an error: never ERROR_NONE. */
enum error_class error_kind(struct sv text);

#endif
