#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Peers with a secret in every place that may hold one: planted.py ROLE, with $PLANTED: {place: secret} as JSON.

    client -- SERVER...    over stdio: a loop, then one message of each kind
    client URL             over HTTP, the same
    oldsse URL             over the old HTTP+SSE, a little of it
    hang -- SERVER...      a call that is never answered
    server [ANYTHING]      over stdio
    http PORT              over HTTP

A client says on its standard output what it sent and was asked, "client METHOD NAME" and "server METHOD" a line."""
import http.client
import http.server
import itertools
import json
import os
import queue
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e", "raw"))

# Those that a client or server puts into JSON: `trace --content` shows them.
IN_JSON = (
    "argument argument_name number meta result structured tool_error rpc_error rpc_data progress_token progress "
    "request_state task elicit elicit_result sample sample_result root description instructions cursor log cancel prompt "
    "prompt_result complete uri_user uri_query resource unknown input_response").split()
# Those that nobody shows: HTTP, texts that are no messages, command lines.
ELSEWHERE = ("bearer cookie set_cookie session custom query userinfo event last_event basic challenge refusal noise broken "
             "command path endpoint").split()
SECRET = json.loads(os.environ.get("PLANTED", "{}"))
TIMES = 4  # the same call: a loop


class Request:
    def __init__(self):
        self.ids = itertools.count(1)

    def __call__(self, method, **params):
        return {"jsonrpc": "2.0", "id": next(self.ids), "method": method, "params": params}


def note(method, **params):
    return {"jsonrpc": "2.0", "method": method, "params": params}


def text(place):
    return {"type": "text", "text": f"it says {SECRET[place]}!"}


# --- What the client sends -----------------------------------------------------------------------------------------

def script():
    """Messages in order; a number is a pause."""
    ask = Request()

    def call(tool, **more):
        return ask("tools/call", name=tool, arguments={"q": f"select '{SECRET['argument']}'", SECRET["argument_name"]: 1,
                                                       "n": int(SECRET["number"])}, **more)
    yield ask("initialize", protocolVersion="2025-11-25", capabilities={"sampling": {}, "roots": {}, "elicitation": {}},
              clientInfo={"name": "planted", "version": "1"})
    yield note("notifications/initialized")
    for _ in range(TIMES):
        yield 0.06
        yield call("broken", _meta={"note": SECRET["meta"]})
    for tool in ("plain", "asks", "slow"):  # rounds that get on: the loop is over
        yield 0.06
        yield call(tool, **({"task": {"ttl": 60000}} if tool == "slow" else {}))
    yield 0.06
    yield call("refused", _meta={"progressToken": SECRET["progress_token"]})
    yield ask("tasks/get", taskId=SECRET["task"])
    yield ask("tasks/result", taskId=SECRET["task"])
    yield call("more")
    yield call("more", requestState=SECRET["request_state"],
               inputResponses={"a": {"action": "accept", "content": {"pin": SECRET["input_response"]}}})
    yield ask("tools/list")
    yield ask("tools/list", cursor=SECRET["cursor"])
    yield ask("resources/read", uri=f"https://me:{SECRET['uri_user']}@example.org/a?sig={SECRET['uri_query']}")
    yield ask("prompts/get", name="greet", arguments={"who": SECRET["prompt"]})
    yield ask("completion/complete", ref={"type": "ref/prompt", "name": "greet"},
              argument={"name": "who", "value": SECRET["complete"]})
    yield ask("x/unknown", what=SECRET["unknown"])
    yield note("notifications/cancelled", requestId=999, reason=SECRET["cancel"])


def reply(m):
    """The client's answer to a request of the server."""
    results = {
        "sampling/createMessage": {"role": "assistant", "model": "none", "content": text("sample_result")},
        "elicitation/create": {"action": "accept", "content": {"pin": SECRET["elicit_result"]}},
        "roots/list": {"roots": [{"uri": f"file:///home/{SECRET['root']}"}]},
    }
    return {"jsonrpc": "2.0", "id": m["id"], "result": results[m["method"]]}


# --- What the server answers ---------------------------------------------------------------------------------------

def tool_result(params):
    name = params["name"]
    if name == "broken":
        return {"content": [text("tool_error")], "isError": True}
    if "task" in params:
        return {"task": {"taskId": SECRET["task"], "status": "working", "ttl": 60000, "createdAt": "2026-01-01T00:00:00Z"}}
    if name == "more" and "requestState" not in params:
        return {"resultType": "input_required", "requestState": SECRET["request_state"],
                "inputRequests": {"a": {"method": "elicitation/create", "params": {"message": SECRET["elicit"]}}}}
    return {"content": [text("result")], "structuredContent": {"row": SECRET["structured"]}}


def result(m):
    method, params = m["method"], m.get("params", {})
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}}, "instructions": SECRET["instructions"],
                "serverInfo": {"name": "planted", "version": "1"}}
    if method == "tools/call":
        return tool_result(params)
    if method == "tools/list":
        tool = {"name": "plain", "description": f"uses {SECRET['description']}", "inputSchema": {"type": "object"}}
        return {"tools": [tool], **({} if "cursor" in params else {"nextCursor": SECRET["cursor"]})}
    if method == "prompts/get":
        return {"messages": [{"role": "user", "content": text("prompt_result")}]}
    if method == "resources/read":
        return {"contents": [{"uri": params["uri"], "text": SECRET["resource"]}]}
    if method == "tasks/get":
        return {"taskId": SECRET["task"], "status": "completed", "ttl": 60000, "createdAt": "2026-01-01T00:00:00Z"}
    if method == "tasks/result":
        return {"content": [text("result")], "_meta": {"io.modelcontextprotocol/related-task": {"taskId": SECRET["task"]}}}
    if method == "completion/complete":
        return {"completion": {"values": [SECRET["complete"]]}}
    return None


def answers(m, ids=itertools.count(1)):
    """All that the server says to @m; a request among it waits for its answer before the rest is said."""
    if "id" not in m or m.get("params", {}).get("name") == "never":
        return
    tool = m.get("params", {}).get("name") if m["method"] == "tools/call" else None
    if tool == "asks":
        asked = {"sampling/createMessage": {"messages": [{"role": "user", "content": text("sample")}], "maxTokens": 9},
                 "elicitation/create": {"message": SECRET["elicit"], "requestedSchema": {"type": "object", "properties": {}}},
                 "roots/list": {}}
        for method, params in asked.items():
            yield {"jsonrpc": "2.0", "id": f"ask-{next(ids)}", "method": method, "params": params}
    if tool == "refused":
        yield note("notifications/progress", progressToken=SECRET["progress_token"], progress=1, message=SECRET["progress"])
    if tool == "plain":
        yield note("notifications/message", level="error", logger="x", data={"line": SECRET["log"]})
    found = None if tool == "refused" else result(m)
    yield {"jsonrpc": "2.0", "id": m["id"], "result": found} if found is not None else {
        "jsonrpc": "2.0", "id": m["id"],
        "error": {"code": -32000, "message": f"failed: {SECRET['rpc_error']}", "data": {"at": SECRET["rpc_data"]}}}


# --- stdio ---------------------------------------------------------------------------------------------------------

def serve_stdio(_words):
    def say(line):
        os.write(1, (line + "\n").encode())

    lines = iter(sys.stdin.readline, "")
    for line in lines:
        m = json.loads(line)
        for out in answers(m):
            say(json.dumps(out))
            if "method" in out and "id" in out:
                next(lines)
        if m.get("method") == "notifications/initialized":
            say(f"listening with {SECRET['noise']}")
            say('{"jsonrpc":"2.0","method":"broken","params":{"key":"' + SECRET["broken"])


def client_stdio(words):
    from session import Session
    s = Session(words)

    def exchange(m):
        s.send(json.dumps(m))
        while "id" in m:
            got = s.receive()
            if "method" not in got:
                return
            if "id" in got:
                print("server", got["method"])
                s.send(json.dumps(reply(got)))
    play(exchange)
    s.close()


def client_hang(words):
    from session import Session
    s = Session(words)
    for m in itertools.islice(script(), 2):
        s.send(json.dumps(m))
    s.receive()
    s.send(json.dumps({"jsonrpc": "2.0", "id": 7, "method": "tools/call", "params": {
        "name": "never", "arguments": {"q": SECRET["argument"]}, "_meta": {"progressToken": SECRET["progress_token"]}}}))
    while True:
        time.sleep(60)


def play(exchange, n=None):
    for m in itertools.islice(script(), n):
        if not isinstance(m, dict):
            time.sleep(m)
            continue
        name = m["params"].get("name", "") if m["method"] in ("tools/call", "prompts/get") else ""
        print("client", m["method"], name)
        exchange(m)


# --- HTTP ----------------------------------------------------------------------------------------------------------

class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    streams = {}  # old SSE: by session

    def event(self, out):
        data = f"id: {SECRET['event']}\ndata: {out}\n\n".encode()
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
        self.wfile.flush()

    def head(self, status, **fields):
        self.send_response(status)
        for name, value in fields.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()

    def body(self):
        return json.loads(self.rfile.read(int(self.headers["Content-Length"])))

    def stream(self, **fields):
        self.head(200, Content_Type="text/event-stream", Transfer_Encoding="chunked",
                  Set_Cookie=f"sid={SECRET['set_cookie']}; HttpOnly", **fields)

    def do_POST(self):
        m = self.body()
        if "/messages" in self.path:
            for out in answers(m):
                self.streams[self.path.split("=")[1]].put(json.dumps(out))
            self.head(202, Content_Length="0")
        elif "Authorization" not in self.headers:
            refusal = f"no: {SECRET['refusal']}".encode()
            self.head(401, Content_Length=str(len(refusal)), WWW_Authenticate=f'Bearer realm="{SECRET["challenge"]}"')
            self.wfile.write(refusal)
        elif "id" not in m or "method" not in m:
            if "id" in m:
                self.server.heard.put(m)
            self.head(202, Content_Length="0")
        else:
            self.stream(Mcp_Session_Id=SECRET["session"])
            for out in answers(m):
                self.event(json.dumps(out))
                if "method" in out and "id" in out:
                    self.server.heard.get(timeout=20)
            self.wfile.write(b"0\r\n\r\n")

    def do_GET(self):
        if "/sse" not in self.path:
            self.head(405, Content_Length="0")
            return
        self.stream()
        where = f"/messages?session_id={SECRET['endpoint']}"
        first = f"event: endpoint\ndata: {where}\n\n".encode()
        self.wfile.write(b"%x\r\n" % len(first) + first + b"\r\n")
        mine = self.streams.setdefault(SECRET["endpoint"], queue.Queue())
        while (out := mine.get()) is not None:
            self.event(out)
        self.wfile.write(b"0\r\n\r\n")

    def do_DELETE(self):
        self.head(200, Content_Length="0")

    def log_message(self, *_):
        pass


def serve_http(words):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(words[0])), Handler)
    server.heard = queue.Queue()
    server.serve_forever()


class Link:
    """A connection; some requests go out in the form for proxies, with a user in the URL."""

    def __init__(self, url):
        self.where = urllib.parse.urlsplit(url)
        self.http = self.connect()
        self.path = f"{self.where.path}/{SECRET['path']}?token={SECRET['query']}"
        self.fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream",
                       "Authorization": f"Bearer {SECRET['bearer']}", "Cookie": f"sid={SECRET['cookie']}",
                       "X-Api-Key": SECRET["custom"], "Mcp-Session-Id": SECRET["session"], "Last-Event-ID": SECRET["last_event"]}

    def connect(self):
        return http.client.HTTPConnection(self.where.hostname, self.where.port, timeout=20)

    def post(self, m, link=None, fields=None, path=None):
        """The answer, its body unread."""
        link = link or self.http
        link.request("POST", path or self.path, json.dumps(m).encode(), self.fields if fields is None else fields)
        return link.getresponse()

    def exchange(self, m):
        absolute = f"http://me:{SECRET['userinfo']}@{self.where.netloc}{self.path}" if m.get("id", 0) % 2 else None
        answer = self.post(m, path=absolute)
        for line in iter(answer.readline, b""):
            got = json.loads(line[6:]) if line.startswith(b"data: ") else {}
            if "method" in got and "id" in got:
                print("server", got["method"])
                other = self.connect()
                self.post(reply(got), other).read()
                other.close()
        answer.read()


def client_http(words):
    link = Link(words[0])
    refused = {**next(script()), "id": 0}
    print("client initialize")
    if link.post(refused, fields={"Proxy-Authorization": f"Basic {SECRET['basic']}"}).read() != f"no: {SECRET['refusal']}".encode():
        raise RuntimeError("not refused")
    play(link.exchange)
    link.http.request("DELETE", link.path, headers=link.fields)
    link.http.getresponse().read()


def client_oldsse(words):
    link, stream = Link(words[0]), Link(words[0]).http
    del link.fields["Mcp-Session-Id"]
    stream.request("GET", "/sse", headers=link.fields)
    events = stream.getresponse()
    for _ in range(3):
        events.readline()

    def exchange(m):
        link.post(m, path=f"/messages?session_id={SECRET['endpoint']}").read()
        while "id" in m:
            line = events.readline()
            got = json.loads(line[6:]) if line.startswith(b"data: ") else {}
            if "method" in got and "id" in got:
                print("server", got["method"])  # and leaves it at that
            elif got.get("id") == m["id"]:
                return
    play(exchange, 2 + 2 * TIMES + 6)


def main():
    role, words = sys.argv[1], [w for w in sys.argv[2:] if w != "--"]
    if role == "client":
        role = "client_http" if words[0].startswith("http") else "client_stdio"
    {"client_http": client_http, "client_stdio": client_stdio, "oldsse": client_oldsse, "hang": client_hang, "server": serve_stdio,
     "http": serve_http}[role](words)
    sys.stdout.flush()


if __name__ == "__main__":
    main()
