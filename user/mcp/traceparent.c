/* SPDX-License-Identifier: Apache-2.0 */
/* traceparent. */
#include "mcp/traceparent.h"

#include <stdbool.h>

#include "mcp/text.h"

/* Lower case only; false where all are '0', too. */
static bool is_id(struct sv s)
{
	bool any = false;

	for (size_t i = 0; i < s.n; i++) {
		bool digit = s.p[i] >= '0' && s.p[i] <= '9', letter = s.p[i] >= 'a' && s.p[i] <= 'f';

		if (!digit && !letter)
			return false;
		any |= s.p[i] != '0';
	}
	return any;
}

void traceparent_parse(struct sv s, char **ret_trace_id, char **ret_span_id)
{
	struct sv trace, span;

	/* Longer ones are of versions to come, whose beginning is the same behind another '-'. */
	if (s.n < 55 || (s.n > 55 && s.p[55] != '-') || s.p[2] != '-' || s.p[35] != '-' || s.p[52] != '-')
		return;
	trace = (struct sv){ s.p + 3, 32 };
	span = (struct sv){ s.p + 36, 16 };
	if (!is_id(trace) || !is_id(span))
		return;
	*ret_trace_id = text_new(trace);
	*ret_span_id = text_new(span);
}
