/* SPDX-License-Identifier: Apache-2.0 */
/* Heads: the end is found at the same place in every cut, and the views lie inside.
 * Input: one byte (bit 0: a response; the rest: size of the pieces), then the head. */
#include <stdint.h>
#include <stdlib.h>

#include "proto/http1.h"

static ssize_t scan(struct sv in, bool response, size_t step)
{
	struct http1_scan s = { .response = response };

	for (size_t at = 0; at < in.n; at += step) {
		size_t n = in.n - at < step ? in.n - at : step;
		ssize_t took = http1_scan(&s, (struct sv){ in.p + at, n });

		if (took)
			return took < 0 ? took : (ssize_t)at + took;
	}
	return 0;
}

static void inside(struct sv v, const char *p, size_t n)
{
	if (v.n && (v.p < p || v.p + v.n > p + n))
		abort();
}

static void check(char *p, size_t n, bool response)
{
	static const struct sv methods[] = {
		{ "HEAD", 4 }, { "CONNECT", 7 }, { "POST", 4 }, { NULL, 0 }
	};
	struct http1_head h;

	if (http1_parse(p, n, response, &h) != 0)
		return;
	inside(h.method, p, n);
	inside(h.target, p, n);
	inside(h.host, p, n);
	inside(h.content_type, p, n);
	inside(h.session_id, p, n);
	inside(h.user_agent, p, n);
	if (response != (h.status >= 100) || response != (h.method.n == 0) ||
	    response != (h.target.n == 0))
		abort();
	for (size_t i = 0; i < 4; i++)
		if (http1_framing(&h, methods[i]) == HTTP1_LENGTH &&
		    (!h.has_length || !h.length || h.has_te))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct sv in;
	ssize_t end;
	bool response;
	char *copy;

	if (size < 2)
		return 0;
	response = data[0] & 1;
	in = (struct sv){ (const char *)data + 1, size - 1 };
	end = scan(in, response, in.n);
	if (end != scan(in, response, 1) || end != scan(in, response, 1 + data[0] / 2))
		abort();
	/* what the scan refuses or leaves open must not hurt the parser either */
	copy = malloc(in.n);
	memcpy(copy, in.p, in.n);
	check(copy, end > 0 ? (size_t)end : in.n, response);
	free(copy);
	return 0;
}
