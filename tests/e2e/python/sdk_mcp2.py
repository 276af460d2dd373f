# SPDX-License-Identifier: Apache-2.0
"""Python SDK 2.x behind the interface that client.py and server.py use. Both eras."""
import contextlib

from mcp import Client, StdioServerParameters
from mcp.client.sse import sse_client
from mcp.server.mcpserver import Context, MCPServer
from mcp_types import ListRootsResult, Root

from tools import add_tools

HTTP = "httpx2"


def link(options):
    if options.transport == "stdio":
        return StdioServerParameters(command=options.server[0], args=options.server[1:], env=options.env)
    return sse_client(options.url) if options.transport == "sse" else options.url


class Peer:
    def __init__(self, client):
        self.client = client

    async def call(self, name, args, progress=None):
        return await self.client.call_tool(name, args, progress_callback=progress)

    async def ping(self):
        await self.client.send_ping()

    async def tools(self):
        return (await self.client.list_tools()).tools

    async def read(self, uri):
        await self.client.read_resource(uri)

    async def cancel(self, ident):
        """The SDK tells the server by itself."""


@contextlib.asynccontextmanager
async def connect(options):
    async def roots(_context):
        return ListRootsResult(roots=[Root(uri="file:///srv")])

    mode = "auto" if options.era == "modern" else "legacy"
    async with Client(link(options), mode=mode, list_roots_callback=roots) as client:
        yield Peer(client)


def make_server():
    server = MCPServer("truth-py2")
    add_tools(server.tool(structured_output=False), Context)
    return server


async def serve_stdio():
    await make_server().run_stdio_async()


def app(transport):
    server = make_server()
    return server.sse_app() if transport == "sse" else server.streamable_http_app()
