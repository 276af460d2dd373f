/* SPDX-License-Identifier: Apache-2.0 */
/* JSON from the wire, made fit to stand inside a record. */
#ifndef MCPVIGIL_SINK_CONTENT_H
#define MCPVIGIL_SINK_CONTENT_H

#include <stdbool.h>

#include "base/jsonw.h"
#include "base/sv.h"

/* Append @raw, one JSON value that a scanner has passed, as member @key of @w. Where its end was not
 * kept, the member is named "<key>_cut" and is a string that holds the text: the record stays JSON. */
void content_add(struct jsonw *w, const char *key, struct sv raw);
/* true where all that @raw opens is closed again: a beginning of a longer text is not whole. */
bool content_is_whole(struct sv raw);
/* true where @raw is one number of JSON's grammar (RFC 8259 6). */
bool content_is_number(struct sv raw);

#endif
