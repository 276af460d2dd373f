#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs cells: real peers beside the real agent, then compares what each says (README.md)."""
import argparse
import fcntl
import fnmatch
import os
import shutil
import sys
import time

import cells
import procs
from agent import Agent, tail
from compare import check_opaque, check_summary, compare, read_lines

OUT = os.path.join(cells.ROOT, "build", "e2e")


class Run:
    """One cell, from an empty folder to a list of differences."""

    def __init__(self, cell, agent):
        self.cell, self.agent_path = cell, agent
        self.folder = os.path.join(OUT, cell.name)
        shutil.rmtree(self.folder, ignore_errors=True)
        self.tmp = self.path("tmp")
        os.makedirs(self.tmp)
        self.agent = self.client = self.server = self.holder = None
        port = procs.free_port()
        self.client_words, self.server_words, env = cell.commands(port, self.tmp)
        self.port = port
        self.env = {**env, "TRUTH": self.path("truth.jsonl")}
        open(self.env["TRUTH"], "w", encoding="ascii").close()

    def path(self, name):
        return os.path.join(self.folder, name)

    def hold(self):
        """Has the files that the peers will run be known to the agent when it says that it watches."""
        if not self.cell.tls:
            return
        script = os.path.join(cells.HERE, "tls", "hold.py")
        out = self.path("hold.out")
        self.holder = procs.start([sys.executable, script, *self.cell.programs()], out, self.path("hold.err"))
        procs.wait_for("holder", lambda: os.path.getsize(out), self.holder)

    def start_agent(self):
        self.agent = Agent(self.agent_path, self.folder, self.cell.args)

    def start_server(self):
        if self.server_words is None:
            return
        self.server = procs.start(self.server_words, self.path("server.out"), self.path("server.err"), self.env)
        procs.wait_for(f"server on port {self.port}", lambda: procs.listening(self.port), self.server)

    def start_client(self):
        self.client = procs.start(self.client_words, self.path("client.out"), self.path("client.err"), self.env)

    def play(self):
        if self.cell.late:
            self.start_server()
            self.start_client()
            procs.wait_for("client's early part", lambda: os.path.exists(os.path.join(self.tmp, "early")), self.client)
            self.start_agent()
            open(os.path.join(self.tmp, "go"), "w", encoding="ascii").close()
        else:
            self.hold()
            self.start_agent()
            self.start_server()
            self.start_client()
        code = procs.wait_end(self.client, "client", self.cell.timeout)
        procs.stop(self.server)
        time.sleep(0.3)
        trace, summary = self.agent.finish()
        if code != 0:
            raise procs.Trouble(f"client ended with {code}: {tail(self.path('client.err'))}")
        return self.judge(trace, summary)

    def judge(self, trace, summary):
        truth = read_lines(self.env["TRUTH"])
        if not any(line["t"] == "call" for line in truth):
            raise procs.Trouble("the truth holds no call")
        pid = self.server.pid if self.server else None
        address = f"{self.env.get('BIND', cells.LOOPBACK)}:{self.port}"
        return [*compare(truth, trace, pid, self.cell.expect, self.cell.unseen), *check_summary(summary, trace),
                *check_opaque(truth, trace, self.cell.opaque, address)]

    def end(self):
        for proc in (self.client, self.server, self.agent and self.agent.proc, self.holder):
            if proc is not None and proc.poll() is None:
                proc.kill()
                proc.wait()
        procs.reap()


def run_cell(cell, agent):
    """Differences, or a text in a list that says why there is nothing to compare."""
    os.makedirs(OUT, exist_ok=True)
    with open(os.path.join(OUT, ".lock"), "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two runs at once would share folders and processors
        run = Run(cell, agent)
        try:
            return run.play()
        except procs.Trouble as e:
            return [str(e)]
        finally:
            run.end()


def choose(options):
    found = cells.load()
    if options.match:
        return [c for c in found if any(fnmatch.fnmatch(c.name, m) for m in options.match)]
    return found if options.all else [c for c in found if c.ci]


def report(cell, agent):
    """"passed", "failed" or "skipped", having said so."""
    reason = cell.missing()
    if reason:
        print(f"skip {cell.name}: {reason}", flush=True)
        return "skipped"
    diffs = run_cell(cell, agent)
    if not diffs:
        print(f"ok   {cell.name}", flush=True)
        return "passed"
    print(f"FAIL {cell.name}: {len(diffs)} differences")
    for diff in diffs[:10]:
        print(f"       {diff[:300]}")
    sys.stdout.flush()
    return "failed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true", help="every row, not only those marked ci")
    parser.add_argument("--match", action="append", metavar="GLOB", help="rows by name, ci or not")
    parser.add_argument("--agent", default=os.path.join(cells.ROOT, "build", "mcpvigil"))
    parser.add_argument("--list", action="store_true", help="only print the names")
    options = parser.parse_args()
    chosen = choose(options)
    if options.list:
        print("\n".join(f"{c.name}{'  ci' if c.ci else ''}" for c in chosen))
        return 0
    procs.adopt_orphans()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for cell in chosen:
        count[report(cell, os.path.abspath(options.agent))] += 1
    print(", ".join(f"{n} {word}" for word, n in count.items()))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if count["failed"] or not chosen else 0


if __name__ == "__main__":
    sys.exit(main())
