/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on newline-delimited streams: messages, positions, findings, verdicts, holes; in
 * every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pump_expect.h"

/* As the SDKs write them (wire.md 7): TypeScript has id last, Python first, .NET a newline of
 * its own. */
static void stdio_pair(void **state)
{
	static const struct seg segs[] = {
		TO("{\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"2025-11-25\","
		   "\"capabilities\":{},"
		   "\"clientInfo\":{\"name\":\"c\",\"version\":\"1\"}},\"jsonrpc\":\"2.0\",\"id\":"
		   "0}\n"),
		FROM("{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{\"protocolVersion\":\"2025-11-25\"}"
		     "}\r\n"),
		TO("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
		TO("\n"),
		TO("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"method\":\"tools/"
		   "call\",\"params\":{\"name\":\"x\"}}\n"),
		FROM("{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32602,\"message\":"
		     "\"no\"}}\n"),
		END,
	};

	(void)state;
	expect(segs, "0 is rpc\n0 request id=0 method=initialize 1000-1146\n"
		     "1 is rpc\n1 result id=0 5000-5066\n"
		     "0 notification method=notifications/initialized 1147-1201\n"
		     "0 request id=a method=tools/call 1202-1272\n"
		     "1 error id=a 5068-5133\n");
}

static void at_the_brace(void **state)
{
	static const struct seg segs[] = { TO("{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"),
					   END };

	(void)state;
	expect(segs, "0 is rpc\n0 request id=1 method=ping 1000-1040\n");
}

#define PING	"{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"
#define IS_PING "0 is rpc\n0 request id=1 method=ping "

static void noise(void **state)
{
	static const struct seg banner[] = {
		TO("\nServer running on stdio\n[info] ready\r\n{oops}\n" PING "\n"), END
	};
	static const struct seg between[] = { TO("\xef\xbb\xbf" PING "\r\n\r\n \t\ndebug: x\n" PING
						 " \t\r\n" PING "trailing\n[1] x\n"
						 "{\"a\":1\n[{\"a\":\n{\"a\":1}\n" PING PING "\n{"),
					      EOF_OF(0), END };
	static const struct seg only[] = { TO("text\n{broken\n[\n"), EOF_OF(0), END };
	static const struct seg mark[] = { TO("\xef\xbb" PING "\n" PING "\n"), END };

	(void)state;
	expect(banner, "0 is rpc\n0 finds noise 2 35\n0 finds bad-json 1 6\n0 request id=1 "
		       "method=ping 1046-1086\n");
	expect(between, IS_PING
	       "1003-1043\n0 finds noise 1 8\n0 request id=1 method=ping 1059-1099\n"
	       "0 request id=1 method=ping 1103-1143\n0 finds noise 1 8\n"
	       "0 other 1152-1154\n0 finds noise 1 1\n"
	       "0 finds bad-json 1 6\n0 finds bad-json 1 6\n0 other 1172-1179\n"
	       "0 request id=1 method=ping 1180-1220\n0 finds noise 1 40\n0 finds bad-json 1 1\n");
	expect(only, "");
	expect(mark, "0 is rpc\n0 finds noise 1 42\n0 request id=1 method=ping 1043-1083\n");
}

static void batches(void **state)
{
	static const struct seg segs[] = { TO(" [" PING " , " PING ",{\"x\":1}]\n[]\n[1]\n"), END };

	(void)state;
	expect(segs, "0 is rpc\n0 request id=1 method=ping 1002-1042\n0 request id=1 method=ping "
		     "1045-1085\n"
		     "0 other 1001-1093\n0 other 1095-1097\n0 other 1098-1100\n");
}

static void too_long(void **state)
{
	static const struct seg segs[] = {
		TO(PING "\n{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":\"123456\"}\n" PING
			"\n"),
		END
	};

	(void)state;
	expect_opts.message_max = 45;
	expect(segs,
	       IS_PING "1000-1040\n0 finds too-long 1 47\n0 request id=1 method=ping 1089-1129\n");
}

static void other_protocols(void **state)
{
	static const struct seg lsp[] = { TO("Content-Length: 40\r\n\r\n" PING), END };
	static const struct seg tls[] = { TO("\x16\x03\x01\x01\x01\x01rest"),
					  FROM("\x16\x03\x03\x01\x01"), END };

	(void)state;
	expect(lsp, "0 finds lsp 1 0\n0 is nothing\n");
	expect(tls, "0 is tls\n1 is tls\n");
}

static void verdicts(void **state)
{
	static const struct seg noisy[] = { TO("0123456789\n01234567890"), TO("\n" PING), END };
	static const struct seg enough[] = { TO("0123456789\n0123456789"), END };
	static const struct seg json[] = { TO("{\"log\":\"a long line of it\"}\n"), END };
	static const struct seg message[] = { TO("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":[]}\n"),
					      END };

	(void)state;
	expect_opts.undecided_max = 21;
	expect(noisy, "0 is nothing\n0 is rpc\n0 finds noise 2 21\n0 request id=1 method=ping "
		      "1023-1063\n");
	expect(enough, "");
	expect(json, "0 is nothing\n");
	expect(message, "0 is rpc\n0 result id=7 1000-1036\n");
}

/* A message cut by a hole is gone; its bytes count on the next one. */
static void holes(void **state)
{
	static const struct seg inside[] = { TO(PING "\n{\"jsonrpc\":\"2.0\",\"id\":"), GAP(0, 100),
					     TO("1,\"result\":{}}\n" PING "\n" PING "\n"), END };
	static const struct seg between[] = { TO(PING "\n"), GAP(0, 50), GAP(0, 7), TO(PING "\n"),
					      END };
	static const struct seg nested[] = { TO(PING "\n"), GAP(0, 50),
					     TO("{\"type\":\"text\"}]}}\n" PING "\n"), END };
	static const struct seg first[] = { GAP(0, 5), TO("xx" PING "\n" PING "\n"), END };

	(void)state;
	expect(inside, IS_PING "1000-1040\n0 request id=1 method=ping 1178-1218 lost=100\n"
			       "0 request id=1 method=ping 1219-1259\n");
	expect(between, IS_PING "1000-1040\n0 request id=1 method=ping 1098-1138 lost=57\n");
	expect(nested, IS_PING "1000-1040\n0 request id=1 method=ping 1110-1150 lost=50\n");
	expect(first, IS_PING "1048-1088 lost=5\n");
}

static void joined_late(void **state)
{
	static const struct seg middle[] = { TO(":\"ping\",\"id\":1}\n" PING "\n"), END };
	static const struct seg start[] = { TO(PING "\n"), END };
	static const struct seg blank[] = { TO(" \t"), TO(" " PING "\n"), END };
	static const struct seg head_in_text[] = { TO("{\"jsonrpc\":\"2.0\",\"method\":\""), TO("HTTP/1.1 2"), TO("00 OK"),
						   TO("PRI * HTTP/2"), TO("\",\"id\":1}\n"), END };
	static const struct seg inner[] = { TO("{\"id\":1,\"method\":\"x\"}}\n"), END };

	(void)state;
	expect_opts.late = true;
	expect(middle, IS_PING "1016-1056\n");
	expect(start, IS_PING "1000-1040\n");
	expect(blank, IS_PING "1003-1043\n");
	expect(head_in_text, "0 is rpc\n0 request id=1 method=HTTP/1.1 200 OKPRI * HTTP/2 1000-1063\n");
	expect(inner, "");
}

static void positions(void **state)
{
	struct record r = { 0 };
	struct pump_ops ops = record_ops(&r);
	struct pump *p = pump_new(&expect_opts, &ops);

	(void)state;
	buf_init(&r.text, 4096);
	assert_int_equal(pump_needs(p, 0), 0);
	pump_feed(p, 0, 70, SV("PO"));
	assert_int_equal(pump_needs(p, 0), 70);
	pump_feed(p, 0, 72, SV("ISE\n{\"jsonrpc\":\"2.0\","));
	assert_int_equal(pump_needs(p, 0), 76);
	/* bytes fed before are dropped, bytes left out are a hole */
	pump_feed(p, 0, 82, SV("rpc\":\"2.0\",\"id\":1,\"method\":\"m\"}\n"));
	assert_int_equal(pump_needs(p, 0), 114);
	pump_feed(p, 0, 120, SV("\n" PING));
	buf_add_ch(&r.text, 0);
	assert_string_equal(r.text.p,
			    "0 is rpc\n0 finds noise 1 5\n0 request id=1 method=m 76-113\n"
			    "0 request id=1 method=ping 121-161 lost=6\n");
	pump_free(p);
	buf_done(&r.text);
}

/* 5 MB in 64 KiB reads. */
static void large(void **state)
{
	const char head[] = "{\"result\":{\"content\":[{\"type\":\"text\",\"text\":\"";
	const char tail[] = "\"}]},\"jsonrpc\":\"2.0\",\"id\":3}\n";
	size_t n = 5000000;
	char *p = malloc(n);
	struct seg segs[] = { { 1, p, n, SEG_BYTES }, END };

	(void)state;
	memset(p, 'x', n);
	memcpy(p, head, sizeof(head) - 1);
	memcpy(p + n - sizeof(tail) + 1, tail, sizeof(tail) - 1);
	expect_once(segs, 65536, 0, "1 is rpc\n1 result id=3 5000-5004999\n");
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(stdio_pair, expect_setup),
		cmocka_unit_test_setup(at_the_brace, expect_setup),
		cmocka_unit_test_setup(noise, expect_setup),
		cmocka_unit_test_setup(batches, expect_setup),
		cmocka_unit_test_setup(too_long, expect_setup),
		cmocka_unit_test_setup(other_protocols, expect_setup),
		cmocka_unit_test_setup(verdicts, expect_setup),
		cmocka_unit_test_setup(holes, expect_setup),
		cmocka_unit_test_setup(joined_late, expect_setup),
		cmocka_unit_test_setup(positions, expect_setup),
		cmocka_unit_test_setup(large, expect_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
