#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raw client over HTTP, one connection kept alive: five calls before the agent starts, five after.

http_late.py URL TMP"""
import http.client
import os
import sys
import time
import urllib.parse

from session import HELLO, Silent, text, tool
from ledger import Ledger


class Link:
    def __init__(self, url):
        where = urllib.parse.urlsplit(url)
        self.path = where.path
        self.http = http.client.HTTPConnection(where.hostname, where.port, timeout=20)
        self.headers = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream"}
        self.ledger = Silent()

    def post(self, message):
        self.ledger.out(message)
        self.http.request("POST", self.path, message.encode(), self.headers)
        answer = self.http.getresponse()
        body = answer.read().decode()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {body}")
        if answer.headers["Mcp-Session-Id"]:
            self.headers["Mcp-Session-Id"] = answer.headers["Mcp-Session-Id"]
        for line in body.splitlines():
            if line.startswith("data:") and len(line) > 6:
                self.ledger.into(line[5:].strip())


def main():
    url, tmp = sys.argv[1:3]
    link = Link(url)
    link.post(text(0, "initialize", HELLO))
    link.post(text(None, "notifications/initialized"))
    link.headers["MCP-Protocol-Version"] = HELLO["protocolVersion"]
    for n in range(1, 6):
        link.post(tool(n, "echo", text="early"))
    open(os.path.join(tmp, "early"), "w", encoding="ascii").close()
    while not os.path.exists(os.path.join(tmp, "go")):
        time.sleep(0.01)
    link.ledger = Ledger("client")
    for n in range(6, 11):
        link.post(tool(n, "echo", text="late"))
    link.http.close()
    link.ledger.end()


if __name__ == "__main__":
    main()
