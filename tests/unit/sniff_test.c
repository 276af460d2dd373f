/* SPDX-License-Identifier: Apache-2.0 */
/* First bytes: the answer, and that more bytes never change one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/sniff.h"

static const struct {
	struct sv in;
	enum sniff is;
	size_t known; /* bytes after which the answer stands */
} cases[] = {
	{ { "{\"jsonrpc\":\"2.0\"}", 17 }, SNIFF_JSON, 1 },
	{ { "[{}]", 4 }, SNIFF_JSON, 1 },
	{ { "\xef\xbb\xbf \r\n{", 7 }, SNIFF_JSON, 7 },
	{ { "\xef\xbb\xbe{", 4 }, SNIFF_TEXT, 3 },
	{ { "Server listening\n", 17 }, SNIFF_TEXT, 1 },
	{ { "GET ready\n", 10 }, SNIFF_TEXT, 5 },
	{ { "GET /etc/passwd failed\n", 23 }, SNIFF_TEXT, 23 },
	{ { "GET / HTTP/2.0\n", 15 }, SNIFF_TEXT, 15 },
	{ { "GET /sse HTTP/1.1\r\nHost: x\r\n", 28 }, SNIFF_HTTP_REQ, 19 },
	{ { "\r\nPOST http://a/mcp HTTP/1.0\nA: b\n", 34 }, SNIFF_HTTP_REQ, 29 },
	{ { "OPTIONS * HTTP/1.1\r\n", 20 }, SNIFF_HTTP_REQ, 20 },
	{ { "CONNECT host:443 HTTP/1.1\r\n", 27 }, SNIFF_HTTP_REQ, 27 },
	{ { "PURGE / HTTP/1.1\r\n", 18 }, SNIFF_TEXT, 3 },
	{ { "HTTP/1.1 200 OK\r\n", 17 }, SNIFF_HTTP_RESP, 12 },
	{ { "HTTP/1.0 20x\r\n", 14 }, SNIFF_TEXT, 12 },
	{ { "HTTP/2 200\r\n", 12 }, SNIFF_TEXT, 6 },
	{ { "Content-Length: 119\r\n\r\n{", 24 }, SNIFF_LSP, 20 },
	{ { "content-length:5\n", 17 }, SNIFF_LSP, 17 },
	{ { "Content-Length: many\r\n", 22 }, SNIFF_TEXT, 17 },
	{ { "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 24 }, SNIFF_HTTP2, 24 },
	{ { "PRI * HTTP/2.0\r\n\r\nXX", 20 }, SNIFF_TEXT, 19 },
	{ { "\0\0\x12\x04\0\0\0\0\0\0\3", 11 }, SNIFF_HTTP2, 9 },
	{ { "\0\0\x12\x04\1\0\0\0\0", 9 }, SNIFF_TEXT, 5 },
	{ { "\0\0\x11\x04\0\0\0\0\0", 9 }, SNIFF_TEXT, 9 },
	{ { "\x16\x03\x01\x02\x00\x01\x00", 7 }, SNIFF_TLS, 5 },
	{ { "\x17\x03\x03\x40\x11", 5 }, SNIFF_TLS, 5 },
	{ { "\x16\x03\x03\xff\xff", 5 }, SNIFF_TEXT, 5 },
	{ { "\x16\x04\x03\x00\x10", 5 }, SNIFF_TEXT, 2 },
	{ { "", 0 }, SNIFF_MORE, 0 },
	{ { "PO", 2 }, SNIFF_MORE, 0 },
};

static void answers(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_int_equal(sniff(cases[i].in), cases[i].is);
}

static void every_prefix(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		for (size_t n = 0; n <= cases[i].in.n; n++) {
			enum sniff is = n && n >= cases[i].known ? cases[i].is : SNIFF_MORE;

			assert_int_equal(sniff((struct sv){ cases[i].in.p, n }), is);
		}
}

static void long_inputs_are_decided(void **state)
{
	static const char *const heads[] = { "POST /",		 "GET ",	  " ",
					     "Content-Length: ", "\xef\xbb\xbf ", "HTTP/" };
	char *p = malloc(SNIFF_MAX);

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		for (const char *c = "a 1"; *c; c++) {
			memset(p, *c, SNIFF_MAX);
			memcpy(p, heads[i], strlen(heads[i]));
			assert_int_equal(sniff((struct sv){ p, SNIFF_MAX }),
					 i ? SNIFF_TEXT : SNIFF_HTTP_REQ);
		}
	}
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers),
		cmocka_unit_test(every_prefix),
		cmocka_unit_test(long_inputs_are_decided),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
