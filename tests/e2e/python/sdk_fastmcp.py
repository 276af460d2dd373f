# SPDX-License-Identifier: Apache-2.0
"""fastmcp behind the interface that client.py and server.py use. Both eras."""
import contextlib

from fastmcp import Client, Context, FastMCP
from fastmcp.client.transports import SSETransport, StdioTransport, StreamableHttpTransport

from tools import add_tools

HTTP = "httpx2"


def link(options):
    if options.transport == "stdio":
        return StdioTransport(options.server[0], options.server[1:], env=options.env, keep_alive=False)
    return (SSETransport if options.transport == "sse" else StreamableHttpTransport)(options.url)


class Peer:
    def __init__(self, client):
        self.client = client

    async def call(self, name, args, progress=None):
        return await self.client.call_tool_mcp(name, args, progress_handler=progress)

    async def ping(self):
        await self.client.ping()

    async def tools(self):
        return await self.client.list_tools()

    async def read(self, uri):
        await self.client.read_resource(uri)

    async def cancel(self, ident):
        """The SDK tells the server by itself."""


@contextlib.asynccontextmanager
async def connect(options):
    mode = "auto" if options.era == "modern" else "legacy"
    async with Client(link(options), mode=mode, roots=["file:///srv"]) as client:
        yield Peer(client)


def make_server():
    server = FastMCP("truth-fastmcp")
    add_tools(server.tool(output_schema=None), Context)
    return server


async def serve_stdio():
    await make_server().run_stdio_async(show_banner=False)


def app(transport):
    server = make_server()
    return server.http_app(transport="sse" if transport == "sse" else "http")
