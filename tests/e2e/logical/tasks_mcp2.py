# SPDX-License-Identifier: Apache-2.0
"""Python SDK 2.x, modern era: the extension io.modelcontextprotocol/tasks (SEP-2663), by the SDK's own interface for
extensions: tasks/get brings status and result in one."""
import itertools
import os
import time
from typing import Any, Literal

import anyio
from mcp import Client, StdioServerParameters
from mcp.client.extension import ClientExtension, ResultClaim
from mcp.server.extension import Extension, MethodBinding
from mcp.server.mcpserver import MCPServer
from mcp.shared.exceptions import MCPError
from mcp_types import CallToolResult, Request, RequestParams, Result
from pydantic import ConfigDict, Field

from __main__ import logical, new_key, together

NAME = "io.modelcontextprotocol/tasks"
MS = 80
STAMP = "2026-11-01T00:00:00Z"


class TaskParams(RequestParams):
    task_id: str = Field(alias="taskId")


class Task(Result):
    model_config = ConfigDict(populate_by_name=True, extra="allow")
    result_type: Literal["task"] = Field(default="task", alias="resultType")
    task_id: str = Field(alias="taskId")
    status: str = "working"


class Status(Result):
    model_config = ConfigDict(populate_by_name=True, extra="allow")
    status: str = ""
    result: dict[str, Any] | None = None
    error: dict[str, Any] | None = None


class GetTask(Request[TaskParams, Literal["tasks/get"]]):
    name_param = "taskId"
    method: Literal["tasks/get"] = "tasks/get"
    params: TaskParams


class CancelTask(Request[TaskParams, Literal["tasks/cancel"]]):
    name_param = "taskId"
    method: Literal["tasks/cancel"] = "tasks/cancel"
    params: TaskParams


class Tasks(Extension):
    """The server's side. A job is over when its time has come; nothing runs meanwhile."""

    identifier = NAME

    def __init__(self):
        self.made, self.serial = {}, itertools.count(1)

    def methods(self):
        return [MethodBinding("tasks/get", TaskParams, self.get), MethodBinding("tasks/cancel", TaskParams, self.cancel)]

    async def intercept_tool_call(self, params, ctx, call_next):
        if params.name != "job":
            return await call_next(ctx)
        ident = f"task-{os.getpid()}-{next(self.serial)}"
        end = params.arguments["end"]
        self.made[ident] = {"end": end, "over": time.monotonic() + (1e9 if end == "never" else MS / 1000)}
        return {"resultType": "task", **self.head(ident, "working")}

    def head(self, ident, status):
        return {"taskId": ident, "status": status, "createdAt": STAMP, "lastUpdatedAt": STAMP, "ttlMs": 60000,
                "pollIntervalMs": 30}

    async def get(self, _ctx, params):
        task = self.made[params.task_id]
        if task["end"] == "gone":
            return {"resultType": "complete", **self.head(params.task_id, "cancelled")}
        if time.monotonic() < task["over"]:
            return {"resultType": "complete", **self.head(params.task_id, "working")}
        text = {"content": [{"type": "text", "text": task["end"]}]}
        if task["end"] == "broken":
            return {"resultType": "complete", **self.head(params.task_id, "failed"),
                    "error": {"code": -32603, "message": "no luck"}}
        return {"resultType": "complete", **self.head(params.task_id, "completed"),
                "result": {**text, "isError": True} if task["end"] == "fail" else text}

    async def cancel(self, _ctx, params):
        self.made[params.task_id]["end"] = "gone"
        return {"resultType": "complete"}


def make_server():
    server = MCPServer("truth-tasks", extensions=[Tasks()])

    @server.tool(structured_output=False)
    async def job(key: str, end: str) -> str:
        return f"{key} {end}"

    return server


async def serve_stdio():
    await make_server().run_stdio_async()


def app():
    return make_server().streamable_http_app()


class Follow(ClientExtension):
    """The client's side: makes the SDK accept a task as the answer. What becomes of it, each call looks after itself."""

    identifier = NAME

    def claims(self):
        return [ResultClaim(result_type="task", model=Task, resolve=self.resolve)]

    async def resolve(self, task, ctx):
        raise AssertionError("each call follows its own")


async def ask(peer, kind, task):
    return await peer.session.send_request(kind(params=TaskParams(taskId=task)), Status)


async def followed(peer, task):
    while True:
        now = await ask(peer, GetTask, task)
        if now.status == "completed":
            return "tool_error" if now.result.get("isError") else "ok"
        if now.status == "failed":
            return "rpc_error"
        if now.status == "cancelled":
            return "cancelled"
        await anyio.sleep(0.03)


async def taken(peer, task):
    assert (await ask(peer, GetTask, task)).status == "working"
    await ask(peer, CancelTask, task)
    return await followed(peer, task)


async def left(peer, task):
    assert (await ask(peer, GetTask, task)).status == "working"
    return "open"


async def job(peer, end, how, wanted):
    args = {"key": new_key(), "end": end}

    async def work(line):
        line["task"] = (await peer.session.call_tool("job", args, allow_claimed=True)).task_id
        return await how(peer, line["task"])

    line = {"tool": "job", "key": args["key"], "by": "task", "wanted": wanted}
    if end != "never":
        line["least_ns"] = int(MS * 1e6)
    await logical(line, work)


async def client(options):
    to = options.url
    if options.transport == "stdio":
        to = StdioServerParameters(command=options.server[0], args=options.server[1:], env=dict(os.environ))
    async with Client(to, mode="auto", extensions=[Follow()]) as peer:
        await job(peer, "ok", followed, "ok")
        await job(peer, "fail", followed, "tool_error")
        await job(peer, "broken", followed, "rpc_error")
        await job(peer, "never", taken, "cancelled")
        await job(peer, "never", left, "open")
        await together(lambda: job(peer, "ok", followed, "ok"), lambda: job(peer, "fail", followed, "tool_error"))
