# SPDX-License-Identifier: Apache-2.0
"""Python SDK 1.x behind the interface that client.py and server.py use. Legacy era only."""
import contextlib

from mcp import ClientSession, StdioServerParameters, types
from mcp.client.sse import sse_client
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.fastmcp import Context, FastMCP

from tools import add_tools

HTTP = "httpx"


def link(options):
    if options.transport == "stdio":
        return stdio_client(StdioServerParameters(command=options.server[0], args=options.server[1:], env=options.env))
    return (sse_client if options.transport == "sse" else streamable_http_client)(options.url)


class Peer:
    def __init__(self, session):
        self.session = session

    async def call(self, name, args, progress=None):
        return await self.session.call_tool(name, args, progress_callback=progress)

    async def ping(self):
        await self.session.send_ping()

    async def tools(self):
        return (await self.session.list_tools()).tools

    async def read(self, uri):
        await self.session.read_resource(uri)

    async def cancel(self, ident):
        """This SDK does not tell the server by itself."""
        params = types.CancelledNotificationParams(requestId=ident, reason="changed my mind")
        await self.session.send_notification(types.ClientNotification(
            types.CancelledNotification(method="notifications/cancelled", params=params)))


@contextlib.asynccontextmanager
async def connect(options):
    async def roots(_context):
        return types.ListRootsResult(roots=[types.Root(uri="file:///srv")])

    async with link(options) as streams:
        async with ClientSession(*streams[:2], list_roots_callback=roots) as session:
            await session.initialize()
            yield Peer(session)


def make_server():
    server = FastMCP("truth-py1")
    add_tools(server.tool(structured_output=False), Context)
    return server


async def serve_stdio():
    await make_server().run_stdio_async()


def app(transport):
    server = make_server()
    return server.sse_app() if transport == "sse" else server.streamable_http_app()
