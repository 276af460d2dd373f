/* SPDX-License-Identifier: Apache-2.0 */
/* The inside of JSON strings, for json.c only. */
#ifndef MCPVIGIL_PROTO_JSON_STRING_H
#define MCPVIGIL_PROTO_JSON_STRING_H

#include "proto/json.h"

/* The first byte of @p..@e that is a quote, a backslash or a control character; @e: none. */
const char *json_plain(const char *p, const char *e);
/* As json_plain, but good escapes are passed too; stops at an escape within 6 bytes of @e, for the
 * careful path. */
const char *json_passed(const char *p, const char *e);
/* Take the next byte of @j's open escape. Bytes now in @j->utf8 (0: none yet), or -EBADMSG. */
int json_escape_byte(struct json *j);
/* The high surrogate that waited in @j has no partner: U+FFFD into @j->utf8, its length. */
int json_lone(struct json *j);

#endif
