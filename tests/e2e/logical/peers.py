# SPDX-License-Identifier: Apache-2.0
"""Python peers whose calls take more than one request; what they say beside the ledger is in client.mjs.

peers.py --role client|server --work mrtr|tasks --sdk mcp1|mcp2 --transport stdio|http [--port N] [--url URL] [-- SERVER...]"""
import argparse
import importlib
import itertools
import os
import sys
import time

import anyio

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "python"))
import tap  # noqa: E402
from ledger import say  # noqa: E402

HTTP = {"mcp1": "httpx", "mcp2": "httpx2"}
serial = itertools.count(1)


def new_key():
    return f"{os.getpid()}-{next(serial)}"


async def logical(line, work):
    """Awaits @work(line), which answers an outcome, and says what became of the call as a whole."""
    start = time.monotonic_ns()
    outcome = await work(line)
    say({"t": "logical", "pid": os.getpid(), **line, "outcome": outcome, "dur_ns": time.monotonic_ns() - start})
    assert outcome == line["wanted"], f"{outcome}, not {line['wanted']}"


async def together(*works):
    async with anyio.create_task_group() as group:
        for work in works:
            group.start_soon(work)


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--role", choices=("client", "server"), required=True)
    parser.add_argument("--work", choices=("mrtr", "tasks"), required=True)
    parser.add_argument("--sdk", choices=("mcp1", "mcp2"), required=True)
    parser.add_argument("--transport", choices=("stdio", "http"), required=True)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--url")
    parser.add_argument("server", nargs="*", help="after --: the server's words, for stdio")
    return parser.parse_args()


def client(options, work):
    tap.tap_children() if options.transport == "stdio" else tap.tap_http(HTTP[options.sdk])
    anyio.run(work.client, options)


def server(options, work):
    if options.transport == "stdio":
        tap.tap_stdio()
        anyio.run(work.serve_stdio)
        return
    import uvicorn
    uvicorn.run(tap.tap_asgi(work.app()), host="127.0.0.1", port=options.port, log_level="warning",
                timeout_graceful_shutdown=1)


def main():
    options = parse()
    work = importlib.import_module(f"{options.work}_{options.sdk}")
    {"client": client, "server": server}[options.role](options, work)
    tap.finish()


if __name__ == "__main__":
    main()
