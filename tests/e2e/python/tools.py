# SPDX-License-Identifier: Apache-2.0
"""The tools of our servers, whatever the SDK."""
import anyio

from ledger import handled


def add_tools(tool, context):
    """@tool: decorator that registers a function; @context: class of the SDK's request context."""

    @tool
    async def echo(key: str, text: str) -> str:
        with handled("echo", key):
            return text

    @tool
    async def fail(key: str) -> str:
        with handled("fail", key):
            raise ValueError("no luck")

    @tool
    async def size(key: str, text: str) -> str:
        with handled("size", key):
            return str(len(text))

    @tool
    async def blob(key: str, size: int) -> str:
        with handled("blob", key):
            return "x" * size

    @tool
    async def wait(key: str, ms: int) -> str:
        with handled("wait", key):
            await anyio.sleep(ms / 1000)
            return "waited"

    @tool
    async def steps(key: str, steps: int, ctx: context) -> str:
        with handled("steps", key):
            for n in range(steps):
                await ctx.report_progress(n + 1, steps)
            return "done"

    @tool
    async def log(key: str, text: str, ctx: context) -> str:
        with handled("log", key):
            await ctx.info(text)
            return "logged"

    @tool
    async def roots(key: str, ctx: context) -> str:
        with handled("roots", key):
            return str(len((await ctx.session.list_roots()).roots))
