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
/* Unescape from *@ret_p on into @out; bytes written. Moves *@ret_p to where it stopped: at a quote, a control
 * character, @e, for want of room, or at an escape for the careful path (within 6 bytes of @e, a surrogate,
 * wrong). */
size_t json_unescape(const char **ret_p, const char *e, char *out, size_t room);
/* Take the next byte of @j's open escape. Bytes now in @j->text (0: none yet), or -EBADMSG. */
int json_escape_byte(struct json *j);
/* The high surrogate that waited in @j has no partner: U+FFFD into @j->text, its length. */
int json_lone(struct json *j);

#endif
