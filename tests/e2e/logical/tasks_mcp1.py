# SPDX-License-Identifier: Apache-2.0
"""Python SDK 1.x: tasks of 2025-11-25 (experimental)."""
import contextlib
import os

import anyio
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.types import CallToolResult, TextContent, Tool, ToolExecution
from starlette.applications import Starlette
from starlette.routing import Mount

from __main__ import logical, new_key, together

MS = 80


def make_server():
    server = Server("truth-tasks")
    server.experimental.enable_tasks()

    @server.list_tools()
    async def tools():
        return [Tool(name="job", inputSchema={"type": "object"}, execution=ToolExecution(taskSupport="required"))]

    @server.call_tool()
    async def call(_name, args):
        async def work(_task):
            await anyio.sleep(60 if args["end"] == "never" else MS / 1000)
            if args["end"] == "broken":
                raise ValueError("no luck")
            return CallToolResult(content=[TextContent(type="text", text=args["end"])], isError=args["end"] == "fail")

        return await server.request_context.experimental.run_task(work)

    return server


async def serve_stdio():
    server = make_server()
    async with stdio_server() as (read, write):
        await server.run(read, write, server.create_initialization_options())


def app():
    manager = StreamableHTTPSessionManager(app=make_server())

    @contextlib.asynccontextmanager
    async def lifespan(_app):
        async with manager.run():
            yield

    # Redirects /mcp to /mcp/, so that each request is sent twice: common where an MCP server is part of another one.
    return Starlette(routes=[Mount("/mcp", app=manager.handle_request)], lifespan=lifespan)


async def to_the_end(tasks, task):
    async for status in tasks.poll_task(task):
        last = status.status
    return last


async def followed(tasks, task):
    if await to_the_end(tasks, task) == "failed":
        return "tool_error"
    return await waited(tasks, task)


async def waited(tasks, task):
    return "tool_error" if (await tasks.get_task_result(task, CallToolResult)).isError else "ok"


async def taken(tasks, task):
    assert (await tasks.get_task(task)).status == "working"
    return (await tasks.cancel_task(task)).status


async def left(tasks, task):
    assert (await tasks.get_task(task)).status == "working"
    return "open"


async def job(tasks, end, how, wanted):
    args = {"key": new_key(), "end": end}

    async def work(line):
        line["task"] = (await tasks.call_tool_as_task("job", args)).task.taskId
        return await how(tasks, line["task"])

    line = {"tool": "job", "key": args["key"], "by": "task", "wanted": wanted}
    if end != "never":
        line["least_ns"] = int(MS * 1e6)
    await logical(line, work)


async def play(tasks):
    await job(tasks, "ok", followed, "ok")
    await job(tasks, "fail", followed, "tool_error")
    await job(tasks, "broken", followed, "tool_error")
    await job(tasks, "ok", waited, "ok")
    await job(tasks, "never", taken, "cancelled")
    await job(tasks, "never", left, "open")
    await together(lambda: job(tasks, "ok", followed, "ok"), lambda: job(tasks, "fail", waited, "tool_error"))


def link(options):
    if options.transport == "http":
        return streamable_http_client(options.url)
    return stdio_client(StdioServerParameters(command=options.server[0], args=options.server[1:], env=dict(os.environ)))


async def client(options):
    async with link(options) as streams, ClientSession(*streams[:2]) as session:
        await session.initialize()
        await play(session.experimental)
