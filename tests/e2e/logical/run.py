#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Calls that are more than one request: multi-round-trip requests, tasks, retries, resumption, requests sent again,
relays. Real peers tell what they did; one agent watches all rows.

RESULTS: a file that gets a line "P F S"."""
import argparse
import fnmatch
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import cells  # noqa: E402
import procs  # noqa: E402
from agent import Agent, tail  # noqa: E402
from compare import check_summary, losses, numbering, read_lines  # noqa: E402
from judge import judge, judge_relay  # noqa: E402

TIMEOUT = 60
NODE = [cells.node()]
RAW = [sys.executable, os.path.join(HERE, "raw.py")]
EVERYTHING = os.path.join(cells.PEERS, "node/everything/node_modules/@modelcontextprotocol/server-everything/dist/index.js")
SUPERGATEWAY = [*NODE, os.path.join(cells.PEERS, "node/gateway/node_modules/supergateway/dist/index.js")]
MCP_PROXY = [os.path.join(cells.PEERS, "py/mcpproxy/bin/python"), os.path.join(cells.PEERS, "py/mcpproxy/bin/mcp-proxy")]


def here(*words):
    return [*NODE, os.path.join(HERE, words[0]), *words[1:]]


def python(sdk, role, work, transport, *more):
    return [os.path.join(cells.PEERS, "py", sdk, "bin/python"), os.path.join(HERE, "peers.py"), "--role", role,
            "--work", work, "--sdk", sdk, "--transport", transport, *more]


class Row:
    """A client and a server. @client(url), @server(port): their words."""

    def __init__(self, name, client, server, needs, **more):
        self.name, self.client, self.server, self.needs = name, client, server, needs
        self.transport = "stdio" if name.endswith("stdio") else "http"
        self.expect = {"transport": self.transport, "era": more.get("era", "legacy")}
        self.env = more.get("env", {})

    def missing(self):
        for path in self.needs:
            if not os.path.exists(os.path.join(cells.PEERS, path)):
                return f"build/peers/{path} is not installed (tests/e2e/setup)"
        return None

    def play(self, folder):
        self.folder, self.started = folder, []
        self.truth = os.path.join(folder, "truth.jsonl")
        open(self.truth, "w", encoding="ascii").close()
        try:
            self.run()
        finally:
            for proc in reversed(self.started):
                procs.stop(proc, timeout=1)

    def start(self, name, words, port=None):
        env = {**self.env, "TRUTH": self.truth, "PYTHONDONTWRITEBYTECODE": "1"}
        if port:
            env["PORT"] = str(port)
        proc = procs.start(words, self.path(name + ".out"), self.path(name + ".err"), env)
        self.started.append(proc)
        if port:
            procs.wait_for(f"{name} on port {port}", lambda: procs.listening(port), proc)
        return proc

    def path(self, name):
        return os.path.join(self.folder, name)

    def run(self):
        self.server_pid = None
        if self.transport == "stdio":
            words = [*self.client(None), "--", *self.server(None)]
        else:
            port = procs.free_port()
            self.server_pid = self.start("server", self.server(port), port).pid
            words = self.client(f"http://127.0.0.1:{port}/mcp")
        self.finish(words)

    def finish(self, words):
        code = procs.wait_end(self.start("client", words), "client", TIMEOUT)
        if code != 0:
            raise procs.Trouble(f"client ended with {code}: {tail(self.path('client.err'))}")

    def judge(self, trace):
        truth = read_lines(self.truth)
        if not any(line["t"] == "call" for line in truth):
            return ["the truth holds no call"]
        return list(judge(truth, trace, self.server_pid, self.expect))


def server_of(peer, *words):
    """The usual server with the tools of this folder. @peer: as it is named from there."""
    return [*NODE, os.path.join(os.path.dirname(HERE), "node/server.mjs"), "--peer", peer, "--tools",
            "../logical/tools.mjs", *words]


def ts_row(work, sdk, transport, era="legacy", **more):
    peer = "./sdk2.mjs" if sdk == "2" else "../logical/sdk1.mjs"

    def client(url):
        return here("client.mjs", "--work", work, "--sdk", sdk, "--transport", transport, "--era", era,
                    *(["--url", url] if url else []))

    def server(port):
        return server_of(peer, "--transport", transport, "--era", era, "--port", str(port or 0))

    needs = [f"node/sdk{sdk}/.stamp", "node/sdk1/.stamp", "node/node22/.stamp"]
    return Row(f"{work}-ts{sdk}-{transport}", client, server, needs, era=era, **more)


def py_row(work, sdk, transport, era):
    def client(url):
        return python(sdk, "client", work, transport, *(["--url", url] if url else []))

    def server(port):
        return python(sdk, "server", work, transport, "--port", str(port or 0))

    return Row(f"{work}-py{sdk[-1]}-{transport}", client, server, [f"py/{sdk}/.stamp"], era=era)


def everything_row():
    def client(url):
        return here("client.mjs", "--work", "everything", "--sdk", "1", "--transport", "http", "--url", url)

    return Row("tasks-everything-http", client, lambda _port: [*NODE, EVERYTHING, "streamableHttp"],
               ["node/sdk1/.stamp", "node/everything/.stamp"], env={"TRUTH_ALONE": "1"})


def raw_rows():
    yield Row("resend-raw-http", lambda url: [*RAW, "resend", url], lambda port: [*RAW, "server", str(port)], [])

    def server(port):
        return server_of("../logical/sdk1.mjs", "--transport", "http", "--port", str(port))

    yield Row("replay-raw-http", lambda url: [*RAW, "replay", url], server, ["node/sdk1/.stamp"])


class Relay(Row):
    """@chain(row): starts what has to be there before the client; (client's words, processes of the relays, None for the
    client's child, output files that tell what relays had from other relays)."""

    def __init__(self, name, chain):
        needs = ["node/sdk1/.stamp", "node/gateway/.stamp", "py/mcpproxy/.stamp"]
        super().__init__(f"relay-{name}", None, None, needs)
        self.chain = chain

    def run(self):
        words, self.relays, self.between = self.chain(self)
        self.finish(words)

    def judge(self, trace):
        truth = read_lines(self.truth)
        ours = [line for line in truth if line.get("peer") == "client"]
        if not ours:
            return ["the truth holds no call of the client"]
        relays = [proc.pid if proc else ours[0]["other"] for proc in self.relays]
        between = sum(passed(self.path(name)) for name in self.between)
        return list(judge_relay(truth, trace, relays, between))


def passed(log):
    """tools/call requests in the output of a supergateway, which prints what it passes on to its server."""
    count = 0
    with open(log, encoding="utf-8", errors="replace") as f:
        for line in f:
            head, arrow, rest = line.partition("Child: ")
            if arrow and "→" in head and '"method":"tools/call"' in rest:
                count += 1
    return count


def node_server(transport, port=0):
    return [*NODE, os.path.join(os.path.dirname(HERE), "node/server.mjs"), "--sdk", "1", "--transport", transport,
            "--port", str(port)]


def http_client(url):
    return here("client.mjs", "--work", "relay", "--sdk", "1", "--transport", "http", "--url", url)


def stdio_client(words):
    return here("client.mjs", "--work", "relay", "--sdk", "1", "--transport", "stdio", "--", *words)


def supergateway(row, stateful):
    port = procs.free_port()
    server = node_server("stdio") if stateful else [sys.executable, os.path.join(HERE, "stdio.py")]
    words = [*SUPERGATEWAY, "--stdio", " ".join(server), "--outputTransport", "streamableHttp",
             "--port", str(port), *(["--stateful"] if stateful else [])]
    return row.start("supergateway", words, port), f"http://127.0.0.1:{port}/mcp"


def http_server(row):
    port = procs.free_port()
    row.start("server", node_server("http", port), port)
    return f"http://127.0.0.1:{port}/mcp"


def mcp_proxy_words(url):
    return [*MCP_PROXY, "--transport", "streamablehttp", url]


def by_supergateway(stateful):
    def chain(row):
        relay, url = supergateway(row, stateful)
        return http_client(url), [relay], []
    return chain


def by_mcp_proxy_client(row):
    return stdio_client(mcp_proxy_words(http_server(row))), [None], []


def by_mcp_proxy_server(row):
    port = procs.free_port()
    relay = row.start("proxy", [*MCP_PROXY, "--pass-environment", "--port", str(port), "--", *node_server("stdio")], port)
    return http_client(f"http://127.0.0.1:{port}/mcp"), [relay], []


def by_two(row):
    relay, url = supergateway(row, True)
    return stdio_client(mcp_proxy_words(url)), [None, relay], ["supergateway.out"]


ROWS = [
    ts_row("mrtr", "2", "stdio", "modern"),
    ts_row("mrtr", "2", "http", "modern"),
    py_row("mrtr", "mcp2", "stdio", "modern"),
    py_row("mrtr", "mcp2", "http", "modern"),
    ts_row("tasks", "1", "stdio"),
    ts_row("tasks", "1", "http"),
    py_row("tasks", "mcp1", "stdio", "legacy"),
    py_row("tasks", "mcp1", "http", "legacy"),
    py_row("tasks", "mcp2", "stdio", "modern"),
    py_row("tasks", "mcp2", "http", "modern"),
    everything_row(),
    ts_row("retry", "1", "stdio"),
    ts_row("retry", "1", "http"),
    ts_row("retry", "2", "stdio", "modern"),
    ts_row("retry", "2", "http", "modern"),
    ts_row("resume", "1", "http"),
    *raw_rows(),
    Relay("supergateway", by_supergateway(True)),
    Relay("supergateway-stateless", by_supergateway(False)),
    Relay("mcp-proxy-to-http", by_mcp_proxy_client),
    Relay("mcp-proxy-to-stdio", by_mcp_proxy_server),
    Relay("chain-of-two", by_two),
]


def play_all(rows, agent, folder):
    """{row: trouble, or None where it was played}, then what the agent printed."""
    troubles = {}
    for row in rows:
        place = os.path.join(folder, row.name)
        os.makedirs(place)
        begin = time.monotonic()
        try:
            row.play(place)
            troubles[row] = None
        except procs.Trouble as e:
            troubles[row] = str(e)
        row.seconds = time.monotonic() - begin
    time.sleep(0.3)
    return troubles, *agent.finish()


def run(rows, path, folder):
    """({row: differences}, what is wrong beside them)"""
    agent = None
    try:
        agent = Agent(path, folder)
        troubles, trace, summary = play_all(rows, agent, folder)
    except procs.Trouble as e:
        return {}, [str(e)]
    finally:
        procs.stop(agent and agent.proc)
        procs.reap()
    diffs = {row: [trouble] if trouble else row.judge(trace) for row, trouble in troubles.items()}
    general = [*losses(trace), *numbering(trace), *check_summary(summary, trace)]
    return diffs, general


def report(diffs, general):
    for row, found in diffs.items():
        print(f"{'FAIL' if found else 'ok  '} {row.name} ({row.seconds:.1f} s)")
        print("".join(f"       {d[:300]}\n" for d in found[:10]), end="")
    print("".join(f"FAIL {d}\n" for d in general), end="", flush=True)


def choose(options):
    if options.rows:
        return [r for r in ROWS if any(fnmatch.fnmatch(r.name, m) for m in options.rows)]
    return ROWS


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(cells.ROOT, "build", "mcpvigil"))
    parser.add_argument("--list", action="store_true", help="only print the names")
    parser.add_argument("--keep", metavar="FOLDER", help="leave truth, trace and output there")
    parser.add_argument("rows", nargs="*", metavar="GLOB", help="rows by name; default all")
    options = parser.parse_args()
    chosen = choose(options)
    if options.list:
        print("\n".join(r.name for r in chosen))
        return 0
    reasons = {r: r.missing() for r in chosen}
    for row, reason in reasons.items():
        if reason:
            print(f"skip {row.name}: {reason}")
    rows = [r for r in chosen if not reasons[r]]
    procs.adopt_orphans()
    folder = options.keep or tempfile.mkdtemp(prefix="logical.")
    os.makedirs(folder, exist_ok=True)
    try:
        diffs, general = run(rows, os.path.abspath(options.agent), folder) if rows else ({}, [])
    finally:
        if not options.keep:
            shutil.rmtree(folder)
    report(diffs, general)
    failed = sum(bool(d) for d in diffs.values()) + bool(general)
    passed_rows = sum(not d for d in diffs.values())
    count = {"passed": passed_rows, "failed": failed, "skipped": len(chosen) - len(rows)}
    print(", ".join(f"{n} {word}" for word, n in count.items() if n or word != "skipped"))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if failed or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
