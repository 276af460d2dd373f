/* SPDX-License-Identifier: Apache-2.0 */
/* A long-lived event stream joined in its middle: servers send each event as a chunk or a frame,
 * in a write of its own. */
#include "flow/pump_http.h"

#define SIZE_DIGITS 8

static bool is_hex(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

bool pump_events(struct sv in)
{
	static const struct sv fields[] = {
		{ "data:", 5 }, { "event:", 6 }, { "id:", 3 }, { "retry:", 6 }, { ":", 1 }
	};

	for (size_t i = 0; i < sizeof(fields) / sizeof(fields[0]); i++)
		if (sv_starts(in, fields[i]))
			return true;
	return false;
}

bool pump_chunk_events(struct sv in)
{
	size_t i = 0;

	while (i < in.n && i < SIZE_DIGITS && is_hex(in.p[i]))
		i++;
	if (i == 0 || in.n - i < 2 || in.p[i] != '\r' || in.p[i + 1] != '\n')
		return false;
	in.p += i + 2;
	in.n -= i + 2;
	return pump_events(in);
}
