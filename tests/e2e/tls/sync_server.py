#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raw MCP server over HTTP/1.1, of Python's own http.server and ssl: blocking sockets, a thread for each. Both eras.

sync_server.py PORT"""
import http.server
import json
import os
import signal
import ssl
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "python"))
from ledger import Ledger, handled  # noqa: E402

MODERN = "2026-07-28"
INFO = {"name": "sync", "version": "1"}
CAN = {"tools": {}}


def call(params):
    name, args = params["name"], params.get("arguments") or {}
    with handled(name, args.get("key", "")):
        content = {"content": [{"type": "text", "text": args.get("text", "no luck")}]}
        return {**content, "isError": True} if name == "fail" else content


METHODS = {
    "initialize": lambda params: {"protocolVersion": params["protocolVersion"], "capabilities": CAN, "serverInfo": INFO},
    "server/discover": lambda params: {"supportedVersions": [MODERN], "capabilities": CAN},
    "ping": lambda params: {},
    "tools/list": lambda params: {"tools": [{"name": n, "inputSchema": {"type": "object"}} for n in ("echo", "fail")]},
    "tools/call": call,
}


def answer(m):
    params = m.get("params") or {}
    method = METHODS.get(m["method"])
    if not method or (m["method"] == "tools/call" and params["name"] not in ("echo", "fail")):
        return {"error": {"code": -32601, "message": "Method not found"}}
    result = method(params)
    if "io.modelcontextprotocol/protocolVersion" in params.get("_meta", {}):
        result.update(resultType="complete", ttlMs=0, cacheScope="private",
                      _meta={"io.modelcontextprotocol/serverInfo": INFO})
    return {"result": result}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    ledger = Ledger("server")

    def log_message(self, *_args):
        pass

    def do_POST(self):
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.ledger.into(text)
        m = json.loads(text)
        if "id" not in m or "method" not in m:
            self.reply(202)
            return
        body = json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer(m)}, ensure_ascii=False)
        self.ledger.out(body)
        self.reply(200, body.encode())

    def reply(self, status, body=b""):
        self.send_response(status)
        self.send_header("Mcp-Session-Id", "sync-session")
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.reply(405)

    do_DELETE = do_GET


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 64


def main():
    server = Server((os.environ.get("BIND", "127.0.0.1"), int(sys.argv[1])), Handler)
    if os.environ.get("TLS_CERT"):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(os.environ["TLS_CERT"], os.environ["TLS_KEY"])
        # The handshake is the thread's, at its first read.
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server.serve_forever()


if __name__ == "__main__":
    main()
