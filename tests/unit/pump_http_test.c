/* SPDX-License-Identifier: Apache-2.0 */
/* The pump on HTTP/1: exchanges, bodies, event streams, pairing, holes; in every cut. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>

#include "pump_expect.h"

#define PING "{\"jsonrpc\":\"2.0\",\"method\":\"ping\",\"id\":1}"    /* 40 bytes */
#define PONG "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}"	     /* 36 bytes */
#define POST "POST /mcp HTTP/1.1\r\nContent-Length: 40\r\n\r\n" PING /* 42 + 40 bytes */
#define JSON                                                                                       \
	"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 36\r\n\r\n" /* 71 bytes */
#define BOTH_RPC "0 is rpc\n1 is rpc\n"

/* As undici and Express write them: a POST answered by events in chunks, a primer event first
 * (wire.md 6). */
static void typescript(void **state)
{
	static const struct seg segs[] = {
		TO("POST /mcp HTTP/1.1\r\nhost: localhost:3001\r\nconnection: keep-alive\r\n"
		   "content-type: application/json\r\naccept: application/json, "
		   "text/event-stream\r\n"
		   "mcp-session-id: s-1\r\nmcp-protocol-version: 2025-11-25\r\naccept-language: "
		   "*\r\n"
		   "user-agent: node\r\ncontent-length: 40\r\n\r\n" PING),
		FROM("HTTP/1.1 200 OK\r\nX-Powered-By: Express\r\nContent-Type: "
		     "text/event-stream\r\n"
		     "Cache-Control: no-cache, no-transform\r\nmcp-session-id: s-1\r\nConnection: "
		     "keep-alive\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n"
		     "2f\r\nid: 0b5c-4d3a_1764099000000_primer000\ndata: \n\n\r\n"
		     "45\r\nevent: message\nid: 0b5c_17\ndata: "
		     "{\"result\":{},\"jsonrpc\":\"2.0\",\"id\":1}\r\n"
		     "2\r\n\n\n\r\n0\r\n\r\n"),
		END,
	};

	(void)state;
	expect(segs, BOTH_RPC
	       "0 request id=1 method=ping 1258-1298 http=0\n"
	       "1 result id=1 5276-5312 http=0 sse event=message eid=0b5c_17\n"
	       "done http=0 =POST =/mcp session=s-1 version=2025-11-25 status=200 sse rpc=2 "
	       "req=1000-1298 resp=5000-5326\n");
}

/* As uvicorn writes them: CRLF in events, comments, the message split over chunks. */
static void python(void **state)
{
	static const struct seg segs[] = {
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
		     "transfer-encoding: chunked\r\n\r\n"
		     "8\r\n: ping\r\n\r\n1f\r\nevent: message\r\ndata: {\"result\"\r\n"
		     "4;ext=1\r\n:{},\r\n15\r\n\"jsonrpc\":\"2.0\",\"id\":\r\n6\r\n1}\r\n\r\n\r\n"
		     "0\r\nX-Trailer: 1\r\n\r\n"),
		END,
	};

	(void)state;
	expect(segs, BOTH_RPC
	       "0 request id=1 method=ping 1042-1082 http=0\n"
	       "1 result id=1 5134-5192 http=0 sse event=message\n"
	       "done http=0 =POST =/mcp status=200 sse rpc=2 req=1000-1082 resp=5000-5217\n");
}

/* Go's net/http answers with JSON; an interim response in front, another exchange behind. */
static void golang(void **state)
{
	static const struct seg segs[] = {
		TO("POST / HTTP/1.1\r\nHost: a\r\nMcp-Method: ping\r\nTransfer-Encoding: "
		   "chunked\r\n\r\n"
		   "28\r\n" PING "\r\n0\r\n\r\n"),
		FROM("HTTP/1.1 100 Continue\r\n\r\n" JSON PONG),
		TO("POST / HTTP/1.1\r\nContent-Length: 54\r\n\r\n"
		   "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}"),
		FROM("HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"),
		END,
	};

	(void)state;
	expect(segs, BOTH_RPC
	       "0 request id=1 method=ping 1078-1118 http=0\n"
	       "1 result id=1 5096-5132 http=0\n"
	       "done http=0 =POST =/ mcp=ping status=200 rpc=2 req=1000-1125 resp=5025-5132\n"
	       "0 notification method=notifications/initialized 1164-1218 http=1\n"
	       "done http=1 =POST =/ status=202 rpc=1 req=1125-1218 resp=5132-5176\n");
}

/* Old HTTP+SSE: the GET stream names the place to POST to, and carries the answers. */
static void endpoint(void **state)
{
	static const struct seg segs[] = {
		TO("GET /sse HTTP/1.1\r\nLast-Event-ID: 7\r\n\r\n"),
		FROM("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
		     "event: endpoint\r\ndata: /messages/?session_id=1\r\n\r\n: ping\r\n\r\n"
		     "data: http://late\nevent: endpoint\n\ndata: not it\n\n"
		     "data: " PONG "\nevent: message\n\n"),
		EOF_OF(1),
		EOF_OF(0),
		END,
	};

	(void)state;
	expect(segs,
	       "endpoint http=0 uri=/messages/?session_id=1\nendpoint http=0 "
	       "uri=http://late\n" BOTH_RPC "1 result id=1 5167-5203 http=0 sse\n"
	       "done http=0 =GET =/sse last=7 status=200 sse rpc=1 req=1000-1039 resp=5000-5220\n");
}

static void bodiless(void **state)
{
	static const struct seg segs[] = {
		TO("HEAD / HTTP/1.1\r\n\r\n"
		   "DELETE /mcp HTTP/1.1\r\n\r\n"
		   "GET /mcp HTTP/1.1\r\n\r\n" POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Length: 36\r\n\r\n"
		     "HTTP/1.1 204 No Content\r\n\r\n"
		     "HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n" JSON PONG),
		END,
	};

	(void)state;
	expect(segs,
	       BOTH_RPC "0 request id=1 method=ping 1106-1146 http=0\n"
			"done http=1 =HEAD =/ status=200 rpc=0 req=1000-1019 resp=5000-5039\n"
			"done http=2 =DELETE =/mcp status=204 rpc=0 req=1019-1043 resp=5039-5066\n"
			"done http=3 =GET =/mcp status=304 rpc=0 req=1043-1064 resp=5066-5114\n"
			"1 result id=1 5185-5221 http=0\n"
			"done http=0 =POST =/mcp status=200 rpc=2 req=1064-1146 resp=5114-5221\n");
}

/* Bodies that are not JSON are passed over, whatever they say they are. */
static void foreign_bodies(void **state)
{
	static const struct seg segs[] = {
		TO(POST "PUT / HTTP/1.1\r\nContent-Length: 40\r\n\r\n" PING POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 36\r\n\r\n" PONG
		     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 5\r\n\r\nhello"
		     "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: "
		     "38\r\n\r\n\r\n" PONG),
		END,
	};

	(void)state;
	expect(segs,
	       BOTH_RPC "0 request id=1 method=ping 1042-1082 http=0\n"
			"0 request id=1 method=ping 1202-1242 http=1\n"
			"done http=0 =POST =/mcp status=200 rpc=1 req=1000-1082 resp=5000-5100\n"
			"done http=2 =PUT =/ status=200 rpc=0 req=1082-1160 resp=5100-5169\n"
			"1 result id=1 5236-5272 http=1\n"
			"done http=1 =POST =/mcp status=200 rpc=2 req=1160-1242 resp=5169-5272\n");
}

static void bad_json(void **state)
{
	static const struct seg segs[] = {
		TO("POST /mcp HTTP/1.1\r\nContent-Length: 6\r\n\r\n{oops}" POST),
		FROM("HTTP/1.1 400 Bad\r\nContent-Length: 5\r\n\r\n{\"a\":" JSON PONG),
		END,
	};

	(void)state;
	expect(segs, "0 is rpc\n0 finds bad-json 1 6\n1 is rpc\n0 request id=1 method=ping "
		     "1089-1129 http=0\n"
		     "1 finds bad-json 1 5\n"
		     "done http=1 =POST =/mcp status=400 rpc=0 req=1000-1047 resp=5000-5044\n"
		     "1 result id=1 5115-5151 http=0\n"
		     "done http=0 =POST =/mcp status=200 rpc=2 req=1047-1129 resp=5044-5151\n");
}

/* Records of the two directions may overtake each other. */
static void answer_fed_first(void **state)
{
	static const struct seg segs[] = { FROM(JSON PONG), TO(POST POST), FROM(JSON PONG), END };

	(void)state;
	expect(segs, BOTH_RPC
	       "1 result id=1 5071-5107 http=0\n0 request id=1 method=ping 1042-1082 http=0\n"
	       "done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n"
	       "0 request id=1 method=ping 1124-1164 http=1\n1 result id=1 5178-5214 http=1\n"
	       "done http=1 =POST =/mcp status=200 rpc=2 req=1082-1164 resp=5107-5214\n");
}

/* An answer may come before its request is complete, and the next one with it. */
static void early_answer(void **state)
{
	static const struct seg segs[] = {
		TO("POST /mcp HTTP/1.1\r\nContent-Length: 40\r\n\r\n{\"jsonrpc\""),
		FROM(JSON PONG JSON PONG),
		TO(":\"2.0\",\"method\":\"ping\",\"id\":1}" POST),
		END,
	};

	(void)state;
	expect(segs,
	       BOTH_RPC "1 result id=1 5071-5107 http=0\n1 result id=1 5178-5214 http=1\n"
			"0 request id=1 method=ping 1042-1082 http=0\n"
			"done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n"
			"0 request id=1 method=ping 1124-1164 http=1\n"
			"done http=1 =POST =/mcp status=200 rpc=2 req=1082-1164 resp=5107-5214\n");
}

static void ends(void **state)
{
	static const struct seg cut[] = { TO(POST POST), FROM(JSON "{\"result\":"), EOF_OF(1),
					  EOF_OF(0), END };
	static const struct seg unsent[] = { TO(POST POST), EOF_OF(0), FROM(JSON PONG), END };
	static const struct seg partial[] = {
		TO("POST /mcp HTTP/1.1\r\nContent-Length: 90\r\n\r\n{"), EOF_OF(0), EOF_OF(1), END
	};

	(void)state;
	expect(cut, BOTH_RPC
	       "0 request id=1 method=ping 1042-1082 http=0\n0 request id=1 method=ping 1124-1164 "
	       "http=1\n"
	       "done http=0 =POST =/mcp status=200 noresp aborted rpc=1 req=1000-1082 resp=5000-0\n"
	       "done http=1 =POST =/mcp status=0 noresp aborted rpc=1 req=1082-1164 resp=0-0\n");
	expect(unsent, BOTH_RPC
	       "0 request id=1 method=ping 1042-1082 http=0\n"
	       "0 request id=1 method=ping 1124-1164 http=1\n1 result id=1 5071-5107 http=0\n"
	       "done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n"
	       "done http=1 =POST =/mcp status=0 noresp aborted rpc=1 req=1082-1164 resp=0-0\n");
	expect(partial,
	       "done http=0 =POST =/mcp status=0 noreq noresp aborted rpc=0 req=1000-0 resp=0-0\n");
}

static void tunnels(void **state)
{
	static const struct seg upgrade[] = {
		TO("GET /ws HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n"),
		FROM("HTTP/1.1 101 Switching Protocols\r\nUpgrade: "
		     "websocket\r\n\r\n\x81\x05hello" PONG),
		TO(PING "\n"),
		END,
	};
	static const struct seg connect[] = {
		TO("CONNECT a:80 HTTP/1.1\r\n\r\n"),
		FROM("HTTP/1.1 200 Established\r\n\r\n"),
		TO(POST),
		FROM(JSON PONG),
		END,
	};
	static const struct seg refused[] = {
		TO("CONNECT a:80 HTTP/1.1\r\n\r\n"),
		FROM("HTTP/1.1 403 No\r\nContent-Length: 2\r\n\r\nno"),
		TO(POST),
		FROM(JSON PONG),
		END,
	};

	(void)state;
	expect(upgrade, "done http=0 =GET =/ws status=101 rpc=0 req=1000-1061 resp=5000-5056\n"
			"1 finds upgrade 1 0\n0 is nothing\n1 is nothing\n");
	expect(connect,
	       "done http=0 =CONNECT =a:80 status=200 rpc=0 req=1000-1025 resp=5000-5028\n" BOTH_RPC
	       "0 request id=1 method=ping 1067-1107 http=1\n1 result id=1 5099-5135 http=1\n"
	       "done http=1 =POST =/mcp status=200 rpc=2 req=1025-1107 resp=5028-5135\n");
	expect(refused,
	       "done http=0 =CONNECT =a:80 status=403 rpc=0 req=1000-1025 resp=5000-5040\n" BOTH_RPC
	       "0 request id=1 method=ping 1067-1107 http=1\n1 result id=1 5111-5147 http=1\n"
	       "done http=1 =POST =/mcp status=200 rpc=2 req=1025-1107 resp=5040-5147\n");
}

/* After a malformed head everything waits for a feed that begins with one; segments are fed
 * whole here. */
static void malformed(void **state)
{
	static const struct seg response[] = {
		TO(POST),
		FROM("HTTP/1.1 2x0 OK\r\n\r\nHTTP/1.1 200 OK\r\n\r\n"),
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\n"),
		FROM("Content-Length: 36\r\n\r\n" PONG),
		EOF_OF(1),
		END,
	};
	static const struct seg request[] = {
		TO(POST "GET\r\n\r\n"),	     FROM(JSON PONG), TO("PO"),
		TO("ST / HTTP/1.1\r\n\r\n"), FROM(JSON PONG), END,
	};

	(void)state;
	expect_once(response, 0, 0,
		    BOTH_RPC
		    "0 request id=1 method=ping 1042-1082 http=0\n1 finds http 1 0\n"
		    "0 request id=1 method=ping 1124-1164 http=1\n"
		    "done http=0 =POST =/mcp status=0 noresp aborted rpc=1 req=1000-1082 resp=0-0\n"
		    "1 result id=1 5077-5113 http=1\n"
		    "done http=1 =POST =/mcp status=200 rpc=2 req=1082-1164 resp=5038-5113\n");
	expect_once(request, 0, 0,
		    BOTH_RPC
		    "0 request id=1 method=ping 1042-1082 http=0\n0 finds http 1 0\n"
		    "1 result id=1 5071-5107 http=0\n"
		    "done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n"
		    "1 result id=1 5178-5214 http=1\n"
		    "done http=1 =POST =/ status=200 rpc=1 req=1089-1108 resp=5107-5214\n");
}

/* A hole that may hide heads: the next feed that begins with one goes on. */
static void holes_between(void **state)
{
	static const struct seg answer[] = {
		TO(POST), FROM(JSON "{\"res"), GAP(1, 500), FROM("tail of a body"),
		TO(POST), FROM(JSON PONG),     END,
	};
	static const struct seg request[] = {
		TO(POST),   FROM(JSON PONG), GAP(0, 500),     FROM(JSON PONG),
		TO("tail"), TO(POST),	     FROM(JSON PONG), END,
	};

	(void)state;
	expect_once(
		answer, 0, 0,
		BOTH_RPC
		"0 request id=1 method=ping 1042-1082 http=0\n"
		"done http=0 =POST =/mcp status=200 rpc=1 req=1000-1082 resp=5000-5107 lost=31\n"
		"0 request id=1 method=ping 1124-1164 http=1\n"
		"1 result id=1 5661-5697 lost=469 http=1\n"
		"done http=1 =POST =/mcp status=200 rpc=2 req=1082-1164 resp=5590-5697\n");
	expect_once(request, 0, 0,
		    BOTH_RPC
		    "0 request id=1 method=ping 1042-1082 http=0\n1 result id=1 5071-5107 http=0\n"
		    "done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n"
		    "1 result id=1 5178-5214 http=1\n"
		    "done http=1 status=200 norequest noreq rpc=1 req=0-0 resp=5107-5214\n"
		    "0 request id=1 method=ping 1628-1668 lost=500 http=2\n"
		    "1 result id=1 5285-5321 http=2\n"
		    "done http=2 =POST =/mcp status=200 rpc=2 req=1586-1668 resp=5214-5321\n");
}

static void joined_late(void **state)
{
	static const struct seg segs[] = {
		FROM("data: half an event\n\n"),
		TO("}}"),
		FROM(JSON PONG),
		TO(POST),
		FROM(JSON PONG),
		EOF_OF(1),
		END,
	};
	static const struct seg body[] = { FROM("{\"result\":{},"),
					   FROM("\"jsonrpc\":\"2.0\",\"id\":1}"), FROM(JSON PONG),
					   END };
	static const struct seg rest[] = { FROM("{\"text\":\"..."), FROM(JSON PONG), END };
	static const struct seg overtaken[] = { FROM(JSON), TO(POST), FROM(PONG), EOF_OF(0), END };

	(void)state;
	expect_opts.late = true;
	expect_once(segs, 0, 0,
		    BOTH_RPC
		    "1 result id=1 5092-5128 http=0\n"
		    "done http=0 status=200 norequest noreq rpc=1 req=0-0 resp=5021-5128\n"
		    "0 request id=1 method=ping 1044-1084 http=1\n1 result id=1 5199-5235 http=1\n"
		    "done http=1 =POST =/mcp status=200 rpc=2 req=1002-1084 resp=5128-5235\n");
	/* a body without its head cannot be told from a line; what follows can */
	expect_once(body, 0, 0,
		    "1 is rpc\n1 result id=1 5000-5036\n0 is rpc\n1 result id=1 5107-5143 http=0\n"
		    "done http=0 status=200 norequest noreq rpc=1 req=0-0 resp=5036-5143\n");
	expect_once(rest, 0, 0,
		    BOTH_RPC
		    "1 result id=1 5083-5119 http=0\n"
		    "done http=0 status=200 norequest noreq rpc=1 req=0-0 resp=5012-5119\n");
	expect(overtaken, BOTH_RPC
	       "0 request id=1 method=ping 1042-1082 http=0\n1 result id=1 5071-5107 http=0\n"
	       "done http=0 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5000-5107\n");
}

#define EVENTS                                                                                     \
	"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define EVENT "2c\r\ndata: " PONG "\n\n\r\n" /* 50 bytes */

/* Event streams last for hours: one that lost its chunks, or was joined, goes on at a feed that
 * is a chunk. */
static void events_go_on(void **state)
{
	static const struct seg hole[] = {
		TO("GET /mcp HTTP/1.1\r\n\r\n"),
		FROM(EVENTS EVENT),
		GAP(1, 70),
		FROM("5}\n\n\r\n"),
		FROM(EVENT EVENT),
		GAP(1, 9),
		FROM("0\r\n\r\n"),
		TO(POST),
		FROM(JSON PONG),
		END,
	};
	static const struct seg joined[] = { FROM(EVENT), FROM("3\r\n:x\n\r\n" EVENT "0\r\n\r\n"),
					     TO(POST), FROM(JSON PONG), END };
	static const struct seg text[] = { FROM("2c\r\nno event"), FROM("c2\ndata: x"), END };

	(void)state;
	expect_once(
		hole, 0, 0,
		BOTH_RPC
		"1 result id=1 5090-5126 http=0 sse\n1 result id=1 5216-5252 lost=70 http=0 sse\n"
		"1 result id=1 5266-5302 http=0 sse\n0 request id=1 method=ping 1063-1103 http=1\n"
		"done http=0 =GET =/mcp status=200 noresp aborted sse rpc=3 req=1000-1021 "
		"resp=5000-0 lost=79\n1 result id=1 5391-5427 http=1\n"
		"done http=1 =POST =/mcp status=200 rpc=2 req=1021-1103 resp=5320-5427\n");
	expect_opts.late = true;
	expect_once(joined, 0, 0,
		    BOTH_RPC
		    "1 result id=1 5010-5046 http=0 sse\n1 result id=1 5068-5104 http=0 sse\n"
		    "done http=0 status=0 norequest noreq sse rpc=2 req=0-0 resp=5000-5113\n"
		    "0 request id=1 method=ping 1042-1082 http=1\n1 result id=1 5184-5220 http=1\n"
		    "done http=1 =POST =/mcp status=200 rpc=2 req=1000-1082 resp=5113-5220\n");
	expect_once(text, 0, 0, "");
}

/* A hole in a body of known length costs its JSON and nothing else. */
static void holes_in_bodies(void **state)
{
	static const struct seg length[] = {
		TO("POST /mcp HTTP/1.1\r\nContent-Length: 140\r\n\r\n{\"a\":"),
		GAP(0, 130),
		TO("{\"b\"}" POST),
		FROM("HTTP/1.1 202 OK\r\nContent-Length: 0\r\n\r\n" JSON PONG),
		END,
	};
	static const struct seg chunk[] = {
		TO(POST),
		FROM("HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"
		     "Transfer-Encoding: chunked\r\n\r\n86\r\ndata: {\"a\":"),
		GAP(1, 60),
		FROM(PONG "]}\ndata: {}\n\n: comment 12\n\n\r\n2c\r\ndata: " PONG
			  "\n\n\r\n0\r\n\r\n"),
		END,
	};
	static const struct seg rest[] = { TO("POST / HTTP/1.1\r\nContent-Length: 50\r\n\r\n{"),
					   GAP(0, 49), TO(POST), END };

	(void)state;
	expect(length, BOTH_RPC
	       "0 request id=1 method=ping 1225-1265 http=0\n"
	       "done http=1 =POST =/mcp status=202 rpc=0 req=1000-1183 resp=5000-5038 lost=130\n"
	       "1 result id=1 5109-5145 http=0\n"
	       "done http=0 =POST =/mcp status=200 rpc=2 req=1183-1265 resp=5038-5145\n");
	/* what looks like a message there is the inside of one */
	expect(chunk, BOTH_RPC "0 request id=1 method=ping 1042-1082 http=0\n"
			       "1 result id=1 5230-5266 lost=60 http=0 sse\n"
			       "done http=0 =POST =/mcp status=200 sse rpc=2 req=1000-1082 "
			       "resp=5000-5275 lost=60\n");
	expect(rest, BOTH_RPC
	       "0 request id=1 method=ping 1131-1171 http=0\n"
	       "done http=1 =POST =/ status=0 noresp aborted rpc=0 req=1000-1089 resp=0-0 lost=49\n"
	       "done http=0 =POST =/mcp status=0 noresp aborted rpc=1 req=1089-1171 resp=0-0\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(typescript, expect_setup),
		cmocka_unit_test_setup(python, expect_setup),
		cmocka_unit_test_setup(golang, expect_setup),
		cmocka_unit_test_setup(endpoint, expect_setup),
		cmocka_unit_test_setup(bodiless, expect_setup),
		cmocka_unit_test_setup(foreign_bodies, expect_setup),
		cmocka_unit_test_setup(bad_json, expect_setup),
		cmocka_unit_test_setup(answer_fed_first, expect_setup),
		cmocka_unit_test_setup(early_answer, expect_setup),
		cmocka_unit_test_setup(ends, expect_setup),
		cmocka_unit_test_setup(tunnels, expect_setup),
		cmocka_unit_test_setup(malformed, expect_setup),
		cmocka_unit_test_setup(holes_between, expect_setup),
		cmocka_unit_test_setup(joined_late, expect_setup),
		cmocka_unit_test_setup(events_go_on, expect_setup),
		cmocka_unit_test_setup(holes_in_bodies, expect_setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
