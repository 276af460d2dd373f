/* SPDX-License-Identifier: Apache-2.0 */
/* Where in a message a value is, as far as that matters for its marks. For marker.c only. */
#ifndef MCPVIGIL_PROTO_MARK_PLACE_H
#define MCPVIGIL_PROTO_MARK_PLACE_H

#include <stdint.h>

#include "base/sv.h"

enum mark_place {
	PLACE_ELSEWHERE,
	PLACE_PARAMS,
	PLACE_RESULT,
	PLACE_ERROR,
	PLACE_META,	    /* "_meta": counts for nothing */
	PLACE_ARGUMENTS,
	PLACE_INNER_RESULT, /* of a task: result.result, or params.result of its notification */
	PLACE_INNER_ERROR,
	PLACE_CONTENT,
	PLACE_ITEM0, /* its first element */
	PLACE_ITEM,  /* any further one */
	PLACE_TEXT0,
	PLACE_TEXT,
	PLACE_MESSAGE,	  /* error.message */
	PLACE_STRUCTURED, /* structuredContent and all in it */
	PLACE_TOOLS,
	PLACE_TOOL,
	PLACE_TOOL_NAME,
	PLACE_ANNOTATIONS,
	PLACE_READ_ONLY,
	PLACES
};

/* Of the member @key of an object at @at. */
uint8_t mark_place_member(uint8_t at, struct sv key);
/* Of element @i of an array at @at. */
uint8_t mark_place_element(uint8_t at, uint32_t i);

#endif
