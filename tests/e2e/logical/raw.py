#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raw HTTP peers, for connections that break as no SDK lets them.

raw.py server PORT      drops a connection where a request says so: "drop": "read" (having read it) or "unread", so many
                        "times"; answers what comes after that
raw.py resend URL       sends what got no answer again, byte for byte, on a new connection
raw.py replay URL       to a server with an event store: leaves streams early, and has answers sent once more"""
import http.client
import http.server
import itertools
import json
import os
import signal
import sys
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "python"), os.path.join(os.path.dirname(HERE), "raw")]
from ledger import Ledger  # noqa: E402
from session import HELLO, text, tool  # noqa: E402

VERSION = "2025-11-25"  # the first whose streams begin with an event to resume from
HEADERS = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ledger = Ledger("server")
    dropped = {}

    def log_message(self, *_args):
        pass

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        drop = self.headers.get("X-Drop")
        if drop == "unread" and self.again():
            return
        body = self.rfile.read(size).decode()
        if drop == "read" and self.again():
            return
        self.ledger.into(body)
        self.answer(json.loads(body))

    def again(self):
        """true: the connection is to be dropped once more."""
        name, times = self.headers["X-Drop-Name"], int(self.headers["X-Drop-Times"])
        count = self.dropped.get(name, 0)
        if count >= times:
            return False
        self.dropped[name] = count + 1
        self.close_connection = True
        return True

    def answer(self, request):
        if "id" not in request:
            self.reply(202, "")
            return
        result = {"content": [{"type": "text", "text": "here"}]}
        if request["method"] == "initialize":
            result = {"protocolVersion": VERSION, "capabilities": {},
                      "serverInfo": {"name": "raw", "version": "1"}}
        message = json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result})
        self.ledger.out(message)
        self.reply(200, message)

    def reply(self, status, body):
        self.send_response(status)
        self.send_header("Mcp-Session-Id", "raw-session")
        if body:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())


def serve(port):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", int(port)), Handler)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


class Link:
    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.to, self.path = (where.hostname, where.port), where.path
        self.headers = dict(HEADERS)
        self.ledger = Ledger("client")
        self.http = None

    def open(self):
        self.http = http.client.HTTPConnection(*self.to, timeout=20)

    def request(self, method, body=None, more=None):
        if self.http is None:
            self.open()
        self.http.request(method, self.path, body and body.encode(), {**self.headers, **(more or {})})
        answer = self.http.getresponse()
        if answer.headers["Mcp-Session-Id"]:
            self.headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
        return answer

    def leave(self):
        self.http.close()
        self.http = None

    def hello(self):
        self.whole(text(0, "initialize", {**HELLO, "protocolVersion": VERSION}))
        self.headers["MCP-Protocol-Version"] = VERSION
        self.whole(text(None, "notifications/initialized"))

    def whole(self, message, more=None):
        """Sends @message, takes all of the answer."""
        self.ledger.out(message)
        self.take(self.request("POST", message, more))

    def take(self, answer):
        body = answer.read().decode()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {body}")
        for line in body.splitlines():
            self.heard(line.removeprefix("data:").strip())

    def heard(self, line):
        if line.startswith("{"):
            self.ledger.into(line)

    def events(self, answer):
        """(id, data) of each event, as they come."""
        ident = data = ""
        for raw in answer:
            name, _, value = raw.decode().rstrip("\r\n").partition(":")
            if name == "id":
                ident = value.strip()
            elif name == "data":
                data = value.strip()
            elif not name:
                yield ident, data
                ident = data = ""


def resend(link):
    link.hello()
    for number, (drop, times) in enumerate([("read", 1), ("unread", 1), ("read", 2), ("read", 0)], 1):
        persist(link, number, drop, times)
    # The same again, with an id of its own, is another call.
    message = tool(10, "echo", text="twin")
    link.whole(message)
    link.whole(message.replace('"id": 10', '"id": 11'))


def persist(link, number, drop, times):
    message = tool(number, "echo", text="hello")
    more = {"X-Drop": drop, "X-Drop-Name": str(number), "X-Drop-Times": str(times)}
    for _ in range(times):
        link.ledger.out(message)
        try:
            link.request("POST", message, more)
        except (http.client.RemoteDisconnected, ConnectionResetError):
            link.leave()
        else:
            raise AssertionError("was not dropped")
        time.sleep(0.02)
    link.whole(message, more)


def slow(number, ms, gaps=0):
    return tool(number, "slow", ms=ms, gaps=gaps)


def resume(link, last):
    """All that came after event @last."""
    answer = link.request("GET", more={"Last-Event-ID": last})
    assert answer.status == 200, answer.status
    for _, data in link.events(answer):
        link.heard(data)
        if data.startswith("{"):
            break
    link.leave()


def first_event(link, message):
    link.ledger.out(message)
    answer = link.request("POST", message)
    return answer, next(link.events(answer))[0]


def replay(link):
    link.hello()
    # The answer, and once more.
    answer, first = first_event(link, slow(1, 10))
    for _, data in link.events(answer):
        link.heard(data)
    link.leave()
    resume(link, first)
    # The client's connection breaks before the answer, which comes on another one; early and late.
    for number, ms, pause in ((2, 150, 0), (3, 50, 0.15)):
        _, first = first_event(link, slow(number, ms))
        link.leave()
        time.sleep(pause)
        resume(link, first)
        resume(link, first)
    link.whole(slow(4, 10))


def main():
    what = sys.argv[1]
    if what == "server":
        serve(sys.argv[2])
        return
    link = Link(sys.argv[2])
    {"resend": resend, "replay": replay}[what](link)
    if link.http:
        link.leave()
    link.ledger.end()


if __name__ == "__main__":
    main()
