#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Steady HTTPS load within one process: load.py KEY CERT. Two servers and two clients, one pair on blocking sockets, one on
asyncio's memory BIOs; JSON-RPC both ways, a new connection every 40 requests. Says "ready" after the first answers; when its
input ends, {"requests": N, "failed": N, "first": TEXT}."""
import asyncio
import http.client
import http.server
import json
import ssl
import sys
import threading
import time

key, cert = sys.argv[1:3]
PAUSE = 0.01  # between two requests of a client
REUSE = 40
OTHER = 1000 * REUSE  # the second client counts from there: the same call twice at once, by one process, looks handed on
stop = threading.Event()
begun = [threading.Event(), threading.Event()]
lock = threading.Lock()
count = {"requests": 0, "failed": 0, "first": None}


def contexts():
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(cert, key)
    client = ssl.create_default_context(cafile=cert)
    return server, client


def request(n):
    return json.dumps({"jsonrpc": "2.0", "id": n, "method": "tools/call", "params":
                       {"name": "load", "arguments": {"n": n, "text": "x" * (n * 37 % 20000)}}}).encode()


def result(body):
    call = json.loads(body)
    return json.dumps({"jsonrpc": "2.0", "id": call["id"], "result": {
        "content": [{"type": "text", "text": call["params"]["arguments"]["text"]}]}}).encode()


def judge(n, body):
    """@body is None, or an error, or the answer to request @n."""
    good = body == result(request(n))
    with lock:
        count["requests"] += 1
        if not good:
            count["failed"] += 1
            count["first"] = count["first"] or repr(body)[:200]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = result(self.rfile.read(int(self.headers["Content-Length"])))
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):  # the client tells of it
        pass


def blocking(server_ctx, client_ctx):
    server = Server(("127.0.0.1", 0), Handler)
    server.socket = server_ctx.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    connection, n = None, 0
    while not stop.is_set():
        n += 1
        try:
            if n % REUSE == 1:
                connection = http.client.HTTPSConnection("127.0.0.1", server.server_port, timeout=20, context=client_ctx)
            connection.request("POST", "/mcp", request(n), {"Content-Type": "application/json"})
            answer = connection.getresponse().read()
            if n % REUSE == 0:
                connection.close()
        except (OSError, http.client.HTTPException) as e:
            answer = e
        judge(n, answer)
        begun[0].set()
        time.sleep(PAUSE)


async def read_body(reader):
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line.split(b":")[1]) for line in head.split(b"\r\n") if line.lower().startswith(b"content-length"))
    return await reader.readexactly(length)


async def on_client(reader, writer):
    try:
        while True:
            body = result(await read_body(reader))
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            await writer.drain()
    except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
        writer.close()


async def asynchronous(server_ctx, client_ctx):
    server = await asyncio.start_server(on_client, "127.0.0.1", 0, ssl=server_ctx)
    port = server.sockets[0].getsockname()[1]
    reader, writer, n = None, None, OTHER
    while not stop.is_set():
        n += 1
        try:
            if n % REUSE == 1:
                reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_ctx)
            body = request(n)
            writer.write(b"POST /mcp HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                         % (len(body), body))
            await writer.drain()
            answer = await asyncio.wait_for(read_body(reader), 20)
            if n % REUSE == 0:
                writer.close()
        except (OSError, asyncio.IncompleteReadError, asyncio.TimeoutError) as e:
            answer = e
        judge(n, answer)
        begun[1].set()
        await asyncio.sleep(PAUSE)


def main():
    both = contexts()
    threads = [threading.Thread(target=blocking, args=both),
               threading.Thread(target=lambda: asyncio.run(asynchronous(*both)))]
    for thread in threads:
        thread.start()
    for event in begun:
        event.wait()
    print("ready", flush=True)
    sys.stdin.read()
    stop.set()
    for thread in threads:
        thread.join()
    print(json.dumps(count), flush=True)


main()
