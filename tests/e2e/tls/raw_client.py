#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raw MCP client over HTTP, whose every request we make ourselves, in either era.

raw_client.py sync|curl|wget|ruby|libcurl|impersonate|chromium ERA URL TMP

sync: Python's own http.client and ssl; blocking sockets. curl: a process for each request, or for eight at once. wget, ruby: a
process for each request. libcurl: the one with GnuTLS, in this process. impersonate: that of curl_cffi, a connection for each
request. chromium: fetch() in a page. Which HTTP: HTTP_VERSION. LATE=FOLDER: calls that nobody sees come first, on the same
connection (sync, libcurl, chromium). WORK=any: the server need not have our tools."""
import http.client
import itertools
import json
import os
import sys
import threading
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "python"), os.path.join(os.path.dirname(HERE), "raw"), os.path.dirname(HERE)]
import ledger  # noqa: E402
from chromium import Chromium  # noqa: E402
from curl import Curl  # noqa: E402
from libcurl import Libcurl  # noqa: E402
from session import HELLO, text  # noqa: E402
from wget import Ruby, Wget  # noqa: E402

MODERN = "2026-07-28"
PREFIX = "io.modelcontextprotocol/"
META = {PREFIX + "protocolVersion": MODERN, PREFIX + "clientInfo": HELLO["clientInfo"], PREFIX + "clientCapabilities": {}}


class Talk:
    """What is said in an era: requests as (text, header fields)."""

    def __init__(self, era):
        self.modern = era == "modern"
        self.fields = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        self.serial = itertools.count(1)

    def message(self, ident, method, params=None):
        if not self.modern:
            return text(ident, method, params), dict(self.fields)
        fields = {**self.fields, "MCP-Protocol-Version": MODERN, "Mcp-Method": method}
        if params and "name" in params:
            fields["Mcp-Name"] = params["name"]
        return text(ident, method, {**(params or {}), "_meta": META}), fields

    def ask(self, method, params=None):
        return self.message(next(self.serial), method, params)

    def call(self, tool, **args):
        n = next(self.serial)
        key = f"{os.getpid()}-{n}"
        return self.message(n, "tools/call", {"name": tool, "arguments": {"key": key, **args}})

    def hello(self, send):
        if self.modern:
            assert "result" in send(*self.ask("server/discover")).messages[-1]
            return
        answer = send(*self.ask("initialize", HELLO))
        assert "result" in answer.messages[-1]
        self.fields["MCP-Protocol-Version"] = HELLO["protocolVersion"]
        if answer.session:
            self.fields["Mcp-Session-Id"] = answer.session
        send(*self.message(None, "notifications/initialized"))


class Answer:
    """Of one exchange: its messages, in JSON or in events."""

    def __init__(self, status, session, body):
        self.status, self.session = status, session
        lines = [line.removeprefix("data:").strip() for line in body.splitlines()]
        self.texts = [line for line in lines if line.startswith("{")]
        self.messages = [json.loads(t) for t in self.texts]

    def note(self, log, request):
        """Write down what came for @request."""
        for one in self.texts:
            log.into(one)
        if not self.texts and self.status >= 400:
            log.settle(json.loads(request).get("id"), "http_error")


class Sync:
    """One connection of http.client."""

    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}[where.scheme]
        self.url, self.path = url, where.path
        self.http = kind(where.hostname, where.port, timeout=20)
        self.ledger = ledger.Ledger("client")

    def send(self, message, fields):
        self.ledger.out(message)
        self.http.request("POST", self.path, message.encode(), fields)
        got = self.http.getresponse()
        answer = Answer(got.status, got.headers["Mcp-Session-Id"], got.read().decode())
        answer.note(self.ledger, message)
        return answer

    def at_once(self, requests):
        """Each on a connection and a thread of its own."""
        links = [Sync(self.url) for _ in requests]
        threads = [threading.Thread(target=link.send, args=request) for link, request in zip(links, requests)]
        for thread in threads:
            thread.start()
        for link, thread in zip(links, threads):
            thread.join()
            link.close()

    def close(self):
        self.http.close()
        self.ledger.end()


def impersonate(url):
    from impersonate import Impersonate  # where it is installed
    return Impersonate(url, Answer)


def early(talk, link, folder):
    for _ in range(5):
        link.send(*talk.call("echo", text="early"))
    open(os.path.join(folder, "early"), "w", encoding="ascii").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.01)
    ledger.Hush.on = False


def work(talk, link, ours):
    if not talk.modern:
        link.send(*talk.ask("ping"))
    listed = link.send(*talk.ask("tools/list")).messages[-1]["result"]["tools"]
    if not ours:
        link.send(*talk.call(listed[0]["name"]))
    for said in ("hé €😀\u0001", "y" * 400_000):
        answer = link.send(*talk.call("echo", text=said))
        assert not ours or answer.messages[-1]["result"]["content"][0]["text"] == said
    link.send(*talk.call("fail"))
    link.send(*talk.ask("no/such_method"))
    link.at_once([talk.call("echo", text=str(n)) for n in range(8)])


def main():
    kind, era, url, tmp = sys.argv[1:5]
    links = {"sync": lambda: Sync(url), "curl": lambda: Curl(url, tmp, Answer), "wget": lambda: Wget(url, tmp, Answer),
             "ruby": lambda: Ruby(url, tmp, Answer),
             "libcurl": lambda: Libcurl(url, Answer), "impersonate": lambda: impersonate(url),
             "chromium": lambda: Chromium(url, tmp, Answer)}
    talk, link = Talk(era), links[kind]()
    late = os.environ.get("LATE")
    ledger.Hush.on = bool(late)
    talk.hello(link.send)
    if late:
        early(talk, link, late)
    work(talk, link, os.environ.get("WORK") != "any")
    link.close()


if __name__ == "__main__":
    main()
