/* SPDX-License-Identifier: Apache-2.0 */
/* Places in a message. */
#include "proto/mark_place.h"

struct step {
	struct sv key;
	uint8_t to;
};

#define STEP(key, to) { { key, sizeof(key) - 1 }, PLACE_##to }
#define STEPS 7

/* MCP field names: schema.ts of revisions 2024-11-05 ... 2026-07-28, and the extension of tasks. */
static const struct step steps[PLACES][STEPS] = {
	[PLACE_PARAMS] = { STEP("arguments", ARGUMENTS), STEP("_meta", META), STEP("result", INNER_RESULT),
			   STEP("error", INNER_ERROR) },
	[PLACE_RESULT] = { STEP("content", CONTENT), STEP("structuredContent", STRUCTURED), STEP("_meta", META),
			   STEP("tools", TOOLS), STEP("result", INNER_RESULT), STEP("error", INNER_ERROR) },
	[PLACE_INNER_RESULT] = { STEP("content", CONTENT), STEP("structuredContent", STRUCTURED), STEP("_meta", META) },
	[PLACE_ERROR] = { STEP("message", MESSAGE) },
	[PLACE_INNER_ERROR] = { STEP("message", MESSAGE) },
	[PLACE_ITEM0] = { STEP("text", TEXT0) },
	[PLACE_ITEM] = { STEP("text", TEXT) },
	[PLACE_TOOL] = { STEP("name", TOOL_NAME), STEP("annotations", ANNOTATIONS) },
	[PLACE_ANNOTATIONS] = { STEP("readOnlyHint", READ_ONLY) },
};

uint8_t mark_place_member(uint8_t at, struct sv key)
{
	if (at == PLACE_STRUCTURED)
		return at;
	for (const struct step *s = steps[at]; s->key.p; s++)
		if (sv_eq(s->key, key))
			return s->to;
	return PLACE_ELSEWHERE;
}

uint8_t mark_place_element(uint8_t at, uint32_t i)
{
	switch (at) {
	case PLACE_CONTENT:
		return i ? PLACE_ITEM : PLACE_ITEM0;
	case PLACE_TOOLS:
		return PLACE_TOOL;
	case PLACE_STRUCTURED:
		return at;
	default:
		return PLACE_ELSEWHERE;
	}
}
