/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on what real peers of HTTP/2 sent each other over a loopback socket: their header compression, priorities and
 * flow control, in the pieces that were read. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pump_expect.h"

#define BOTH_RPC "0 is rpc\n1 is rpc\n"

/* Node 20, client and server: initialize, three calls at once beside an event stream, one call taken back. */
static const struct seg node[] = {
	TO("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\000\000\000\004\000\000\000\000\000\000\000T\001\004\000"
	   "\000\000\001\203\004\203b\222WA\213\010\235\\\013\201p\334\013\300x_\206_\213\035u\320b\r&=L"
	   "tA\352S\231\035u\320b\r&=LtA\352\372Q%\362\226\013\334\265%d&\302\216\237@\216\244\225\255]"
	   "\207I\310z\026\356[\020c\325\207\020\004\332\301\n\302o\000\000:\000\001\000\000\000\001{\"j"
	   "sonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{}}"),
	FROM("\000\000\000\004\000\000\000\000\000"),
	TO("\000\000\000\004\001\000\000\000\000"),
	FROM("\000\000\000\004\001\000\000\000\000\000\0005\001\004\000\000\000\001\210_\213\035u\320b\r&="
	   "LtA\352@\212\244\225\254\202\241\006=K\032O\202B\301a\226\337=\277J\011\3054\237\272\202\000"
	   "\234P!\270\323\367\004\342\230\264o\000\000$\000\000\000\000\000\001{\"jsonrpc\":\"2.0\",\"i"
	   "d\":0,\"result\":{}}"),
	FROM("\000\000\000\000\001\000\000\000\001"),
	TO("\000\000\032\001\004\000\000\000\003\203\004\203b\222W\301\206\300\277\276@\212\244\225\254"
	   "\202\241\006=K\032O\202B\301\000\0006\000\001\000\000\000\003{\"jsonrpc\":\"2.0\",\"method\""
	   ":\"notifications/initialized\"}"),
	FROM("\000\000\005\001\004\000\000\000\003H\202\020\005\277"),
	FROM("\000\000\000\000\001\000\000\000\003"),
	TO("\000\000\027\001\005\000\000\000\005\202\004\203b\222W\302\206S\214I|\245\202\367-IY\011\260"
	   "\243\247\277\000\000\014\001\004\000\000\000\007\203\004\203b\222W\303\206\302\301\300\277"
	   "\000\000\014\001\004\000\000\000\011\203\004\203b\222W\303\206\302\301\300\277\000\000\014"
	   "\001\004\000\000\000\013\203\004\203b\222W\303\206\302\301\300\277\000\000D\000\001\000\000"
	   "\000\007{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"a\"}}"
	   "\000\000D\000\001\000\000\000\011{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\",\"p"
	   "arams\":{\"name\":\"b\"}}\000\000(\000\001\000\000\000\013{\"jsonrpc\":\"2.0\",\"id\":3,\"me"
	   "thod\":\"ping\"}"),
	FROM("\000\000'\001\004\000\000\000\005\210_\214I|\245\202\367-IY\011\260\243\247a\226\337=\277J"
	   "\011\3054\237\272\202\000\234P!\270\323\367\004\352\230\264o\000\000\004\001\004\000\000\000"
	   "\007\210\277\302\276\000\000\004\001\004\000\000\000\011\210\277\302\276\000\000\004\001\004"
	   "\000\000\000\013\210\303\302\276\000\000I\000\000\000\000\000\005event: message\ndata: {\"js"
	   "onrpc\":\"2.0\",\"method\":\"notifications/message\"}\n\n\000\0002\000\000\000\000\000\007ev"
	   "ent: message\nid: 7\ndata: {\"jsonrpc\":\"2.0\",\"id\":1\000\0002\000\000\000\000\000\011eve"
	   "nt: message\nid: 7\ndata: {\"jsonrpc\":\"2.0\",\"id\":2\000\000$\000\000\000\000\000\013{\"j"
	   "sonrpc\":\"2.0\",\"id\":3,\"result\":{}}"),
	FROM("\000\000\000\000\001\000\000\000\013"),
	FROM("\000\000\033\000\000\000\000\000\007,\"result\":{\"content\":[]}}\n\n\000\000\033\000\000"
	   "\000\000\000\011,\"result\":{\"content\":[]}}\n\n"),
	FROM("\000\000\000\000\001\000\000\000\007\000\000\000\000\001\000\000\000\011"),
	TO("\000\000\014\001\004\000\000\000\r\203\004\203b\222W\303\206\302\301\300\277\000\000(\000"
	   "\001\000\000\000\r{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"slow\"}"),
	FROM("\000\000\003\001\004\000\000\000\r\210\277\276\000\000\010\000\000\000\000\000\r: wait\n\n"),
	TO("\000\000\004\003\000\000\000\000\r\000\000\000\010"),
	TO("\000\000\004\003\000\000\000\000\005\000\000\000\010"),
	TO("\000\000\010\007\000\000\000\000\000\000\000\000\000\000\000\000\000"),
	TO("\000\000\010\007\000\000\000\000\000\000\000\000\000\000\000\000\000"),
	EOF_OF(0),
	EOF_OF(1),
	END,
};

/* Go 1.26, client and server: an answer as JSON, and one in an event stream that the client then leaves. */
static const struct seg go[] = {
	TO("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\000\000\030\004\000\000\000\000\000\000\002\000\000\000\000"
	   "\000\004\000@\000\000\000\005\000\000@\000\000\006\000\240\000\000\000\000\004\010\000\000"
	   "\000\000\000@\000\000\000\000\000Q\001\004\000\000\000\001A\213\010\235\\\013\201p\334\013"
	   "\300|_\203E\203b\222W\206_\213\035u\320b\r&=LtA\352@\216\244\225\255]\207I\310z\026\356[\020"
	   "c\325\207\020\004\332\301\n\302o\\\00246P\203\233\331\253z\215\304u\247JkX\224\030\265%\201."
	   "\017\000\000.\000\001\000\000\000\001{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\""
	   "}"),
	FROM("\000\000\036\004\000\000\000\000\000\000\005\000\020\000\000\000\003\000\000\000\372\000\006"
	   "\000\020\001@\000\001\000\000\020\000\000\004\000\020\000\000\000\000\000\004\001\000\000"
	   "\000\000\000\000\004\010\000\000\000\000\000\000\017\000\001\000\000:\001\004\000\000\000"
	   "\001\210_\213\035u\320b\r&=LtA\352@\212\244\225\254\202\241\006=K\032O\202B\301\\\00236a\227"
	   "\337=\277J\011\3054\237\272\202\000\234P!\270\323\367\032}LZ7\377\000\000$\000\001\000\000"
	   "\000\001{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}"),
	TO("\000\000\000\004\001\000\000\000\000"),
	TO("\000\000\014\001\004\000\000\000\003?\341\037\304\203\303\206\302\301\300\277\276"),
	TO("\000\000.\000\001\000\000\000\003{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/call\"}"),
	FROM("\000\000\020\001\004\000\000\000\003\210_\214I|\245\202\367-IY\011\260\243\247\277\000\000-"
	   "\000\000\000\000\000\003event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":2,\000\000\016\000"
	   "\000\000\000\000\003\"result\":{}}\n\n"),
	TO("\000\000\004\003\000\000\000\000\003\000\000\000\010"),
	EOF_OF(0),
	EOF_OF(1),
	END,
};

/* curl 7.88 (libnghttp2) and Node 20. */
static const struct seg curl[] = {
	TO("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\000\000\022\004\000\000\000\000\000\000\003\000\000\000d"
	   "\000\004\002\000\000\000\000\002\000\000\000\000\000\000\004\010\000\000\000\000\000\001\377"
	   "\000\001\000\000M\001\004\000\000\000\001\203\004\203b\222W\206A\213\010\235\\\013\201p\334"
	   "\013\300y\237z\210%\266P\303\253\274\362\341S\003*/*_\213\035u\320b\r&=LtA\352@\216\244\225"
	   "\255]\207I\310z\026\356[\020c\325\207\020\004\332\301\n\302o\017\r\00240\000\000(\000\001"
	   "\000\000\000\001{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"),
	FROM("\000\000\000\004\000\000\000\000\000\000\000\000\004\001\000\000\000\000\000\0005\001\004"
	   "\000\000\000\001\210_\213\035u\320b\r&=LtA\352@\212\244\225\254\202\241\006=K\032O\202B\301a"
	   "\226\337=\277J\011\3054\237\272\202\000\234P!\270\323\367\004\362\230\264o\000\000$\000\000"
	   "\000\000\000\001{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}}\000\000\000\000\001\000\000\000"
	   "\001"),
	TO("\000\000\000\004\001\000\000\000\000"),
	EOF_OF(0),
	EOF_OF(1),
	END,
};

/* All of one direction, then all of the other; without the end. */
static void expect_apart(const struct seg *segs, uint8_t first, const char *want)
{
	struct seg apart[40];
	size_t n = 0;

	for (uint8_t i = 0; i < 2; i++)
		for (const struct seg *s = segs; s->p || s->what != SEG_BYTES; s++)
			if (s->what == SEG_BYTES && s->dir == (first ^ i))
				apart[n++] = *s;
	apart[n] = (struct seg){ 0, NULL, 0, SEG_BYTES };
	expect(apart, want);
}

static void as_read(void **state)
{
	(void)state;
	expect(node, BOTH_RPC
	       "0 request id=0 method=initialize 1135-1193 http=0\n"
	       "1 result id=0 5089-5125 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 rpc=2 req=1033-1193 resp=5018-5134\n"
	       "0 notification method=notifications/initialized 1246-1300 http=1\n"
	       "done http=1 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=202 rpc=1 req=1202-1300 resp=5134-5157\n"
	       "0 request id=1 method=tools/call 1404-1472 http=2\n"
	       "0 request id=2 method=tools/call 1481-1549 http=3\n"
	       "0 request id=3 method=ping 1558-1598 http=4\n"
	       "1 notification method=notifications/message 5274-5324 http=5 sse event=message\n"
	       "1 result id=3 5453-5489 http=4\n"
	       "done http=4 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 rpc=2 req=1374-1598 resp=5231-5498\n"
	       "1 result id=1 5362-5532 http=2 sse event=message eid=7\n"
	       "1 result id=2 5421-5568 http=3 sse event=message eid=7\n"
	       "done http=2 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 sse rpc=2 req=1332-1472 resp=5205-5579\n"
	       "done http=3 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 sse rpc=2 req=1353-1549 resp=5218-5588\n"
	       "0 request id=4 method=slow 1628-1668 http=6\n"
	       "done http=6 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 noresp aborted sse rpc=1 req=1598-1668 resp=5588-0 reset=1681\n"
	       "done http=5 =GET =/mcp session=s-1 host=127.0.0.1:18082 h2"
	       " status=200 noresp aborted sse rpc=1 req=1300-1332 resp=5157-0 reset=1694\n");
	expect(go, BOTH_RPC
	       "0 request id=1 method=initialize 1169-1215 http=0\n"
	       "1 result id=1 5137-5173 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18092 h2"
	       " status=200 rpc=2 req=1070-1215 resp=5061-5173\n"
	       "0 request id=2 method=tools/call 1254-1300 http=1\n"
	       "1 result id=2 5228-5273 http=1 sse event=message\n"
	       "done http=1 =POST =/mcp version=2025-11-25 host=127.0.0.1:18092 h2"
	       " status=200 noresp aborted sse rpc=2 req=1224-1300 resp=5173-0 reset=1313\n");
	expect(curl, BOTH_RPC
	       "0 request id=1 method=ping 1159-1199 http=0\n"
	       "1 result id=1 5089-5125 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18083 h2"
	       " status=200 rpc=2 req=1064-1199 resp=5018-5134\n");
}

static void answers_first(void **state)
{
	(void)state;
	expect_apart(node, 1, BOTH_RPC
	       "1 result id=0 5089-5125 http=0\n"
	       "1 notification method=notifications/message 5274-5324 http=1 sse event=message\n"
	       "1 result id=3 5453-5489 http=2\n"
	       "1 result id=1 5362-5532 http=3 sse event=message eid=7\n"
	       "1 result id=2 5421-5568 http=4 sse event=message eid=7\n"
	       "0 request id=0 method=initialize 1135-1193 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 rpc=2 req=1033-1193 resp=5018-5134\n"
	       "0 notification method=notifications/initialized 1246-1300 http=5\n"
	       "done http=5 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=202 rpc=1 req=1202-1300 resp=5134-5157\n"
	       "0 request id=1 method=tools/call 1404-1472 http=3\n"
	       "done http=3 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 sse rpc=2 req=1332-1472 resp=5205-5579\n"
	       "0 request id=2 method=tools/call 1481-1549 http=4\n"
	       "done http=4 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 sse rpc=2 req=1353-1549 resp=5218-5588\n"
	       "0 request id=3 method=ping 1558-1598 http=2\n"
	       "done http=2 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 rpc=2 req=1374-1598 resp=5231-5498\n"
	       "0 request id=4 method=slow 1628-1668 http=6\n"
	       "done http=6 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18082 h2"
	       " status=200 noresp aborted sse rpc=1 req=1598-1668 resp=5588-0 reset=1681\n"
	       "done http=1 =GET =/mcp session=s-1 host=127.0.0.1:18082 h2"
	       " status=200 noresp aborted sse rpc=1 req=1300-1332 resp=5157-0 reset=1694\n");
	expect_apart(go, 1, BOTH_RPC
	       "1 result id=1 5137-5173 http=0\n"
	       "1 result id=2 5228-5273 http=1 sse event=message\n"
	       "0 request id=1 method=initialize 1169-1215 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18092 h2"
	       " status=200 rpc=2 req=1070-1215 resp=5061-5173\n"
	       "0 request id=2 method=tools/call 1254-1300 http=1\n"
	       "done http=1 =POST =/mcp version=2025-11-25 host=127.0.0.1:18092 h2"
	       " status=200 noresp aborted sse rpc=2 req=1224-1300 resp=5173-0 reset=1313\n");
	expect_apart(curl, 1, BOTH_RPC
	       "1 result id=1 5089-5125 http=0\n"
	       "0 request id=1 method=ping 1159-1199 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18083 h2"
	       " status=200 rpc=2 req=1064-1199 resp=5018-5134\n");
}

static void requests_first(void **state)
{
	(void)state;
	expect_apart(curl, 0, BOTH_RPC
	       "0 request id=1 method=ping 1159-1199 http=0\n"
	       "1 result id=1 5089-5125 http=0\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 host=127.0.0.1:18083 h2"
	       " status=200 rpc=2 req=1064-1199 resp=5018-5134\n");
}

/* Without the start of the connection. */
static void joined_late(void **state)
{
	(void)state;
	expect_opts.late = true;
	expect_once(node + 3, 0, 0, BOTH_RPC
	       "1 result id=0 5080-5116 http=0\n"
	       "done http=0 session=s-1 h2 status=200 norequest noreq rpc=1 req=0-0 resp=5009-5125\n"
	       "0 notification method=notifications/initialized 1044-1098 http=1\n"
	       "done http=1 =POST =/mcp session=s-1 h2 status=202 rpc=1 req=1000-1098 resp=5125-5148\n"
	       "0 request id=1 method=tools/call 1202-1270 http=2\n"
	       "0 request id=2 method=tools/call 1279-1347 http=3\n"
	       "0 request id=3 method=ping 1356-1396 http=4\n"
	       "1 notification method=notifications/message 5265-5315 http=5 sse event=message\n"
	       "1 result id=3 5444-5480 http=4\n"
	       "done http=4 =POST =/mcp session=s-1 h2 status=200 rpc=2 req=1172-1396 resp=5222-5489\n"
	       "1 result id=1 5353-5523 http=2 sse event=message eid=7\n"
	       "1 result id=2 5412-5559 http=3 sse event=message eid=7\n"
	       "done http=2 =POST =/mcp session=s-1 h2 status=200 sse rpc=2 req=1130-1270 resp=5196-5570\n"
	       "done http=3 =POST =/mcp session=s-1 h2 status=200 sse rpc=2 req=1151-1347 resp=5209-5579\n"
	       "0 request id=4 method=slow 1426-1466 http=6\n"
	       "done http=6 =POST =/mcp session=s-1 h2 status=200 noresp aborted sse rpc=1 req=1396-1466 resp=5579-0 reset=1479\n"
	       "done http=5 =GET =/mcp session=s-1 h2 status=200 noresp aborted sse rpc=1 req=1098-1130 resp=5148-0 reset=1492\n");
	expect_once(go + 2, 0, 0, BOTH_RPC
	       "0 request id=2 method=tools/call 1039-1085 http=0\n"
	       "1 result id=2 5055-5100 http=0 sse event=message\n"
	       "done http=0 =POST h2 status=200 noresp aborted sse rpc=2 req=1009-1085 resp=5000-0 reset=1098\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_read, expect_setup),
		cmocka_unit_test_setup(answers_first, expect_setup),
		cmocka_unit_test_setup(requests_first, expect_setup),
		cmocka_unit_test_setup(joined_late, expect_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
