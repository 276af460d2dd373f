/* SPDX-License-Identifier: Apache-2.0 */
/* What never leaves the host unless it is asked for. */
#ifndef MCPVIGIL_SINK_REDACT_H
#define MCPVIGIL_SINK_REDACT_H

/* Copy of @uri without userinfo and query; a fragment stays. NULL with ENOMEM; free() it. Not a
 * validating parser: a URI that does not fit RFC 3986 loses more, never less. */
char *redact_uri(const char *uri);

#endif
