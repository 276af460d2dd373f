# SPDX-License-Identifier: Apache-2.0
"""Where bytes enter and leave a process: each message that passes goes into a ledger. Call before connecting."""
import importlib
import json
import os

import anyio

from ledger import Ledger

_ledgers = []


def finish():
    """Nothing more will come on any ledger."""
    for ledger in _ledgers:
        ledger.end()


def in_flight():
    """Id of the only request that has no answer yet."""
    (found,) = [m["id"] for ledger in _ledgers for m, _ in ledger.pending.values()]
    return found


def opened(*args):
    ledger = Ledger(*args)
    _ledgers.append(ledger)
    return ledger


class Lines:
    def __init__(self, text):
        self.text, self.rest = text, []

    def push(self, chunk):
        *whole, rest = chunk.split(b"\n")
        for line in whole:
            self.text(b"".join([*self.rest, line]).decode())
            self.rest = []
        self.rest.append(rest)

    def end(self):
        pass


class Whole:
    def __init__(self, text):
        self.text, self.parts = text, []

    def push(self, chunk):
        self.parts.append(chunk)

    def end(self):
        if self.parts:
            self.text(b"".join(self.parts).decode())
        self.parts = []


class Events:
    def __init__(self, text):
        self.text, self.data = text, []
        self.lines = Lines(self.line)
        self.push, self.end = self.lines.push, self.lines.end

    def line(self, line):
        line = line.rstrip("\r")
        if line.startswith("data:"):
            self.data.append(line[5:].removeprefix(" "))
        elif not line and self.data:
            self.text("\n".join(self.data))
            self.data = []


class Body:
    """A response body: JSON, or events."""

    def __init__(self, text):
        self.text, self.kind = text, None

    def push(self, chunk):
        if chunk and self.kind is None:
            self.kind = (Whole if chunk[:1] in b"{[" else Events)(self.text)
        if chunk:
            self.kind.push(chunk)

    def end(self):
        if self.kind:
            self.kind.end()


def tap_children():
    """A client over stdio: every child that anyio starts with pipes."""
    open_process = anyio.open_process

    async def opener(*args, **kwargs):
        process = await open_process(*args, **kwargs)
        ledger = opened("client", process.pid)
        out, into = Lines(ledger.out), Lines(ledger.into)
        send, receive = process.stdin.send, process.stdout.receive

        async def tapped_send(data):
            out.push(bytes(data))
            await send(data)

        async def tapped_receive(*args):
            data = await receive(*args)
            into.push(data)
            return data

        process.stdin.send, process.stdout.receive = tapped_send, tapped_receive
        return process

    anyio.open_process = opener


class TappedText:
    """A server's standard stream, as text."""

    def __init__(self, file, ledger):
        self.file, self.ledger, self.rest = file, ledger, ""

    def __getattr__(self, name):
        return getattr(self.file, name)

    def readline(self, *args):
        line = self.file.readline(*args)
        self.ledger.into(line)
        return line

    def write(self, text):
        *whole, self.rest = (self.rest + text).split("\n")
        for line in whole:
            self.ledger.out(line)
        return self.file.write(text)


def tap_stdio():
    """A server over stdio: every text file that anyio wraps."""
    wrap_file, ledger = anyio.wrap_file, opened("server")
    anyio.wrap_file = lambda file: wrap_file(TappedText(file, ledger))


def choose_http(package):
    """A client speaks HTTP/2, and nothing else, where HTTP_VERSION says so. It opens no stream for events then: with one
    open, httpcore 1.0 now and then stalls until something comes on it."""
    if os.environ.get("HTTP_VERSION") != "2":
        return
    httpx = importlib.import_module(package)
    init, handle = httpx.AsyncClient.__init__, httpx.AsyncHTTPTransport.handle_async_request

    async def handler(self, request):
        return httpx.Response(405) if request.method == "GET" else await handle(self, request)

    httpx.AsyncClient.__init__ = lambda *args, **kw: init(*args, **{**kw, "http1": False, "http2": True})
    httpx.AsyncHTTPTransport.handle_async_request = handler


def tap_http(package):
    """A client over HTTP: every exchange of @package (httpx, httpx2)."""
    httpx = importlib.import_module(package)
    ledger = opened("client")
    handle = httpx.AsyncHTTPTransport.handle_async_request

    class Tapped(httpx.AsyncByteStream):
        def __init__(self, response, ident):
            self.response, self.stream, self.ident = response, response.stream, ident

        async def __aiter__(self):
            body = Body(ledger.into)
            async for chunk in self.stream:
                body.push(chunk)
                yield chunk
            body.end()
            if self.response.status_code >= 400:
                ledger.settle(self.ident, "http_error")

        async def aclose(self):
            # Legacy servers may answer on another stream; of a modern one this is the cancellation.
            if self.ident is not None and MODERN in self.response.request_headers:
                ledger.settle(self.ident, "cancelled")
            await self.stream.aclose()

    async def handler(self, request):
        text = (await request.aread()).decode() if request.method == "POST" else ""
        ledger.out(text)
        ident = json.loads(text).get("id") if text else None
        try:
            response = await handle(self, request)
        except BaseException:
            ledger.settle(ident, "cancelled")
            raise
        response.request_headers = str(request.headers)
        response.stream = Tapped(response, ident)
        return response

    httpx.AsyncHTTPTransport.handle_async_request = handler


MODERN = "2026-07-28"


def tap_asgi(app):
    """A server over HTTP: every exchange of the ASGI application @app."""
    ledger = opened("server")

    async def tapped(scope, receive, send):
        if scope["type"] != "http":
            return await app(scope, receive, send)
        request, response = Whole(ledger.into), Body(ledger.out)

        async def tapped_receive():
            message = await receive()
            if message["type"] == "http.request":
                request.push(message.get("body", b""))
                if not message.get("more_body"):
                    request.end()
            return message

        async def tapped_send(message):
            if message["type"] == "http.response.body":
                response.push(message.get("body", b""))
                if not message.get("more_body"):
                    response.end()
            await send(message)

        return await app(scope, tapped_receive, tapped_send)

    return tapped
