/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP/1.x heads: where they end, in every cut; what is in them; what is refused; how bodies are
 * framed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "proto/http1.h"

#define REQUEST                                                                                    \
	"POST /mcp?a=b HTTP/1.1\r\nHost: localhost:3001\r\nconnection: "                           \
	"keep-alive\r\nMCP-SESSION-ID:\t s1 \r\n"                                                  \
	"mcp-protocol-version: 2025-06-18\r\nMcp-Method: tools/call\r\nLast-Event-ID: 9\r\n"       \
	"User-Agent: node\r\nContent-Type: application/json\r\nContent-Length: 12\r\n\r\n"

static int parse(const char *s, bool response, struct http1_head *h, char **ret_p)
{
	size_t n = strlen(s);
	char *p = malloc(n);

	memcpy(p, s, n);
	*ret_p = p;
	return http1_parse(p, n, response, h);
}

static int result(const char *s, bool response, struct http1_head *h)
{
	char *p;
	int err = parse(s, response, h, &p);

	free(p);
	return err;
}

/* Bytes up to the head's end with one cut, or byte by byte where @cut is SIZE_MAX. */
static ssize_t scan(struct sv in, bool response, size_t cut)
{
	struct http1_scan s = { .response = response };
	size_t at = 0;

	while (at < in.n) {
		size_t n = cut == SIZE_MAX ? 1 : (at < cut ? cut : in.n) - at;
		ssize_t took = http1_scan(&s, (struct sv){ in.p + at, n });

		if (took)
			return took < 0 ? took : (ssize_t)at + took;
		at += n;
	}
	return 0;
}

static void sweep(const char *s, bool response, ssize_t want)
{
	struct sv in = sv_of(s);

	for (size_t cut = 0; cut <= in.n; cut++)
		assert_int_equal(scan(in, response, cut), want);
	assert_int_equal(scan(in, response, SIZE_MAX), want);
}

static void ends(void **state)
{
	(void)state;
	sweep(REQUEST "{}", false, sizeof(REQUEST) - 1);
	sweep("\r\n\r\nGET / HTTP/1.1\r\n\r\nGET", false, 22);
	sweep("GET / HTTP/1.1\nHost: a\n\nX", false, 24);
	sweep("GET / HTTP/1.1\nHost: a\n\rb: c\n\r\nX", false, 31);
	sweep("HTTP/1.1 200 OK\r\nA: b\r\n c\r\n\r\nbody", true, 29);
	sweep("HTTP/1.1 200 OK\r\nA: b\r\n", true, 0);
	sweep("GET / HTTP/1.1\r\nA: b\r\n\r\r\nC: d\r\n\r\nX", false, 33);
	sweep("GET", false, 0);
	sweep("HTTP/1.1 200 OK\r\n\r\n", true, 19);
}

static void scan_refuses(void **state)
{
	(void)state;
	sweep("{\"jsonrpc\"", false, -EBADMSG);
	sweep("GET\r\n\r\n", false, -EBADMSG);
	sweep(" GET / HTTP/1.1\r\n", false, -EBADMSG);
	sweep("GET / HTTP", true, -EBADMSG);
	sweep("HTTP/2 200", true, -EBADMSG);
	sweep("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", false, -EBADMSG);
}

static void request(void **state)
{
	struct http1_head h;
	char *p;

	(void)state;
	assert_int_equal(parse(REQUEST, false, &h, &p), 0);
	assert_true(sv_eq(h.method, SV("POST")));
	assert_true(sv_eq(h.target, SV("/mcp?a=b")));
	assert_true(sv_eq(h.host, SV("localhost:3001")));
	assert_true(sv_eq(h.session_id, SV("s1")));
	assert_true(sv_eq(h.version, SV("2025-06-18")));
	assert_true(sv_eq(h.mcp_method, SV("tools/call")));
	assert_true(sv_eq(h.last_event_id, SV("9")));
	assert_true(sv_eq(h.user_agent, SV("node")));
	assert_true(sv_eq(h.content_type, SV("application/json")));
	assert_true(h.has_length && h.length == 12 && h.minor == 1 && !h.has_te && !h.response);
	free(p);
}

static void folded_and_repeated(void **state)
{
	struct http1_head h;
	char *p;

	(void)state;
	assert_int_equal(parse("HTTP/1.0 404 Not Found\r\nContent-Type: text/\r\n\tplain;\n x=y\r\n"
			       "Mcp-Session-Id: first\r\nMcp-Session-Id: second\r\nServer:\r\n"
			       "Content-Encoding: gzip\r\ncontent-encoding: br\r\n"
			       "Transfer-Encoding: gzip\r\ntransfer-encoding: Chunked\r\n\r\n",
			       true, &h, &p),
			 0);
	assert_true(h.status == 404 && h.minor == 0 && h.response);
	assert_true(sv_eq(h.content_type, SV("text/  \tplain;  x=y")));
	assert_true(sv_eq(h.session_id, SV("first")));
	assert_true(h.encodings && h.has_te && h.te_coded && h.chunked && !h.has_length);
	free(p);
}

static void parse_refuses(void **state)
{
	static const char *const requests[] = {
		"GET /\r\n\r\n",
		"GET / HTTP/2.0\r\n\r\n",
		"GET  HTTP/1.1\r\n\r\n",
		"GET / HTTP/1.1x\r\n\r\n",
		"GET / HTTP/1.1\r\nno colon\r\n\r\n",
		"GET / HTTP/1.1\r\n: empty\r\n\r\n",
		"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1, 1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 1\r\ncontent-length: 2\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 9223372036854775807\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length:\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked, gzip\r\n\r\n",
		"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: "
		"chunked\r\n\r\n",
		"GET / HTTP/1.1\r\n folded: start line\r\n\r\n",
	};
	static const char *const responses[] = { "HTTP/1.1 20 OK\r\n\r\n", "HTTP/1.1 2000\r\n\r\n",
						 "HTTP/1.1  200\r\n\r\n", "HTTP/1.1 099 x\r\n\r\n",
						 "HTTP/1.1\r\n\r\n" };
	struct http1_head h;

	(void)state;
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
		assert_int_equal(result(requests[i], false, &h), -EBADMSG);
	for (size_t i = 0; i < sizeof(responses) / sizeof(responses[0]); i++)
		assert_int_equal(result(responses[i], true, &h), -EBADMSG);
	assert_int_equal(result("HTTP/1.1 200\r\n\r\n", true, &h), 0);
	assert_int_equal(result("GET / HTTP/1.1\r\nX: : a\r\n\r\n", false, &h), 0);
}

static enum http1_framing framing(const char *s, bool response, struct sv method)
{
	struct http1_head h;
	char *p;
	enum http1_framing f;

	assert_int_equal(parse(s, response, &h, &p), 0);
	f = http1_framing(&h, method);
	free(p);
	return f;
}

#define RESP(status, fields) framing("HTTP/1.1 " status "\r\n" fields "\r\n", true, method)
#define REQ(method, fields)  framing(method " / HTTP/1.1\r\n" fields "\r\n", false, SV(""))
#define TE		     "Transfer-Encoding: chunked\r\n"
#define CL		     "Content-Length: 5\r\n"

static void framings(void **state)
{
	struct sv method = SV("POST");

	(void)state;
	assert_int_equal(REQ("GET", ""), HTTP1_NO_BODY);
	assert_int_equal(REQ("POST", "Content-Length: 0\r\n"), HTTP1_NO_BODY);
	assert_int_equal(REQ("POST", CL), HTTP1_LENGTH);
	assert_int_equal(REQ("POST", CL TE), HTTP1_CHUNKED);
	assert_int_equal(REQ("POST", "Transfer-Encoding: gzip\r\n"), HTTP1_TO_EOF);
	assert_int_equal(RESP("200 OK", CL), HTTP1_LENGTH);
	assert_int_equal(RESP("200 OK", TE CL), HTTP1_CHUNKED);
	assert_int_equal(RESP("200 OK", ""), HTTP1_TO_EOF);
	assert_int_equal(RESP("200 OK", "Transfer-Encoding: gzip\r\n" CL), HTTP1_TO_EOF);
	assert_int_equal(RESP("200 OK", "Transfer-Encoding: identity\r\n" CL), HTTP1_LENGTH);
	assert_int_equal(RESP("202 Accepted", "Content-Length: 0\r\n"), HTTP1_NO_BODY);
	assert_int_equal(RESP("100 Continue", ""), HTTP1_INTERIM);
	assert_int_equal(RESP("103 Early Hints", CL), HTTP1_INTERIM);
	assert_int_equal(RESP("101 Switching Protocols", "Upgrade: websocket\r\n"), HTTP1_TUNNEL);
	assert_int_equal(RESP("204 No Content", CL), HTTP1_NO_BODY);
	assert_int_equal(RESP("304 Not Modified", CL), HTTP1_NO_BODY);
	assert_int_equal(RESP("405 Method Not Allowed", TE), HTTP1_CHUNKED);
	method = SV("HEAD");
	assert_int_equal(RESP("200 OK", CL), HTTP1_NO_BODY);
	method = SV("CONNECT");
	assert_int_equal(RESP("200 OK", CL), HTTP1_TUNNEL);
	assert_int_equal(RESP("407 Proxy", CL), HTTP1_LENGTH);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ends),		 cmocka_unit_test(scan_refuses),
		cmocka_unit_test(request),	 cmocka_unit_test(folded_and_repeated),
		cmocka_unit_test(parse_refuses), cmocka_unit_test(framings),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
