# SPDX-License-Identifier: Apache-2.0
"""Python SDK 2.x, modern era: a tool that asks by InputRequiredResult."""
import os

import anyio
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import Context, MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import (CallToolResult, ElicitRequest, ElicitRequestFormParams, ElicitResult, InputRequiredResult,
                       TextContent)

from __main__ import logical, new_key, together

THINK = 0.02


def question(n):
    return ElicitRequest(params=ElicitRequestFormParams(
        message=f"question {n}", requested_schema={"type": "object", "properties": {"yes": {"type": "boolean"}}}))


def make_server():
    server = MCPServer("truth-mrtr")

    @server.tool(structured_output=False)
    async def quiz(key: str, rounds: int, end: str, ctx: Context) -> CallToolResult | InputRequiredResult:
        done = int(ctx.request_state.split("/")[1]) if ctx.request_state else 0
        if done < rounds:
            return InputRequiredResult(input_requests={"more": question(done + 1)}, request_state=f"{key}/{done + 1}")
        if end == "refuse":
            raise MCPError(-32602, "not today")
        return CallToolResult(content=[TextContent(text=end)], is_error=end == "fail")

    return server


async def serve_stdio():
    await make_server().run_stdio_async()


def app():
    return make_server().streamable_http_app()


async def play(peer, rounds, end, wanted):
    args = {"key": new_key(), "rounds": rounds, "end": end}

    async def work(_line):
        try:
            result = await peer.call_tool("quiz", args)
        except MCPError:
            return "rpc_error"
        return "tool_error" if result.is_error else "ok"

    await logical({"tool": "quiz", "key": args["key"], "by": "request_state", "wanted": wanted,
                   "least_ns": int(rounds * THINK * 1e9)}, work)


async def leave(peer):
    args = {"key": new_key(), "rounds": 2, "end": "ok"}

    async def work(_line):
        first = await peer.session.call_tool("quiz", args, allow_input_required=True)
        assert isinstance(first, InputRequiredResult)
        return "open"

    await logical({"tool": "quiz", "key": args["key"], "by": "request_state", "wanted": "open"}, work)


async def client(options):
    async def elicit(_context, _params):
        await anyio.sleep(THINK)
        return ElicitResult(action="accept", content={"yes": True})

    to = options.url
    if options.transport == "stdio":
        to = StdioServerParameters(command=options.server[0], args=options.server[1:], env=dict(os.environ))
    async with Client(to, mode="auto", elicitation_callback=elicit) as peer:
        await play(peer, 1, "ok", "ok")
        await play(peer, 4, "ok", "ok")
        await play(peer, 2, "fail", "tool_error")
        await play(peer, 2, "refuse", "rpc_error")
        await play(peer, 0, "ok", "ok")
        await together(lambda: play(peer, 2, "fail", "tool_error"), lambda: play(peer, 3, "ok", "ok"))
        await leave(peer)
