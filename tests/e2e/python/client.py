# SPDX-License-Identifier: Apache-2.0
"""A client that does the workload of a normal cell and tells the truth about itself.

client.py --sdk mcp1|mcp2|fastmcp --transport stdio|http|sse [--era legacy|modern] [--url URL] [-- SERVER...]
WORK=plain: only what each server of these tests can do. LATE=FOLDER: calls that nobody sees come first."""
import functools
import importlib
import itertools
import os
import sys

import anyio

import ledger
import options
import tap

serial = itertools.count(1)


async def ask(peer, name, progress=None, **args):
    return await peer.call(name, {"key": f"{os.getpid()}-{next(serial)}", **args}, progress)


def answer(result):
    return result.content[0].text


async def refused(work):
    try:
        await work
    except Exception:
        return
    raise AssertionError("was not refused")


async def small(peer, chosen):
    if chosen.era == "legacy":
        await peer.ping()
    assert len(await peer.tools()) == 8
    assert answer(await ask(peer, "echo", text="hé €😀\u0001")) == "hé €😀\u0001"
    result = await ask(peer, "fail")
    assert getattr(result, "is_error", None) or result.isError
    await refused(peer.read("none://such"))


async def large(peer, chosen):
    size = 5_000_000 if chosen.transport == "stdio" else 1_000_000
    assert answer(await ask(peer, "size", text="y" * 400_000)) == "400000"
    assert len(answer(await ask(peer, "blob", size=size))) == size


async def chatter(peer, chosen):
    async def progress(*_):
        pass

    await ask(peer, "steps", progress, steps=3)
    if chosen.era == "legacy":
        await ask(peer, "log", text="a line")
        assert answer(await ask(peer, "roots")) == "1"


async def cancel(peer, chosen):
    async def slow():
        with anyio.CancelScope() as scope:
            scopes.append(scope)
            await ask(peer, "wait", ms=5000)

    scopes = []
    async with anyio.create_task_group() as group:
        group.start_soon(slow)
        await anyio.sleep(0.1)
        ident = tap.in_flight()
        scopes[0].cancel()
        await peer.cancel(ident)
    await anyio.sleep(0.1)


async def concurrent(peer, chosen):
    async def one():
        assert answer(await ask(peer, "wait", ms=20)) == "waited"

    async with anyio.create_task_group() as group:
        for _ in range(8):
            group.start_soon(one)


async def plain(peer, chosen):
    if chosen.era == "legacy":
        await peer.ping()
    await peer.tools()
    for text in ("hé €😀\u0001", "y" * 400_000):
        assert answer(await ask(peer, "echo", text=text)) == text
    result = await ask(peer, "fail")
    assert getattr(result, "is_error", None) or result.isError
    await refused(peer.read("none://such"))
    async with anyio.create_task_group() as group:
        for n in range(8):
            group.start_soon(functools.partial(ask, peer, "echo", text=str(n)))


async def early(peer, folder):
    for _ in range(5):
        await ask(peer, "echo", text="early")
    open(os.path.join(folder, "early"), "w", encoding="ascii").close()
    while not os.path.exists(os.path.join(folder, "go")):
        await anyio.sleep(0.01)
    ledger.Hush.on = False


async def run(chosen, sdk):
    late = os.environ.get("LATE")
    ledger.Hush.on = bool(late)
    async with sdk.connect(chosen) as peer:
        if late:
            await early(peer, late)
        for part in (plain,) if os.environ.get("WORK") == "plain" else (small, large, chatter, cancel, concurrent):
            await part(peer, chosen)
            if os.environ.get("VERBOSE"):
                print(part.__name__, "done", file=sys.stderr)


def main():
    chosen = options.parse()
    sdk = importlib.import_module(f"sdk_{chosen.sdk}")
    if chosen.transport == "stdio":
        tap.tap_children()
    else:
        tap.choose_http(sdk.HTTP)
        tap.tap_http(sdk.HTTP)
    anyio.run(run, chosen, sdk)
    tap.finish()


if __name__ == "__main__":
    main()
