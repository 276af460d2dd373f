#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hostile programs beside a well-behaved MCP pair: what they do must cost the pair no call, forge nothing, and where
bytes pass by unseen, the loss must have a name. First the pairs alone: tests/vm runs the same ones in its guests.

SEED: of the pairs (7). RESULTS: a file that gets a line "P F S"."""
import argparse
import json
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import procs  # noqa: E402
from agent import Agent, tail  # noqa: E402

OUT = os.path.join(ROOT, "build", "hostile")
VM = os.path.join(ROOT, "build", "vm")
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes"]
PROGRAMS = {"flood": ["flood.c"], "manystreams": ["manystreams.c"], "compat32": ["compat32.c"], "bypass": ["bypass.c", "uring.c"]}
SEED = os.environ.get("SEED", "7")
PSS_MAX_KB = 256 << 10  # with every table at its cap; the ring is 16 MiB of it
# Tools named only in what hostile programs write. Those of manystreams stand in whole requests: unanswered, on a socket.
FORGED = {"flood", "forged"}
UNANSWERED = {"many"}


class Skip(Exception):
    pass


class Row:
    """One agent run. Subclasses: attack() starts or runs the hostile program, judge() yields what was wrong."""
    neighbours = ("unix",)
    calls = 40
    longest = 60000
    lossy = ("-l",)  # what the hostile program wrote may be lost
    env = None

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(OUT, name)
        self.bad = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def words(self, *words):
        return [os.path.join(OUT, "bin", words[0]), *words[1:]]

    def start_neighbour(self, kind):
        """A pair; its truth in truth.KIND."""
        words = [os.path.join(VM, "pair"), kind, str(self.calls), SEED, self.path(f"truth.{kind}"), str(self.longest)]
        return procs.start(words, self.path(f"pair.{kind}.out"), self.path(f"pair.{kind}.err"), self.env)

    def end_neighbour(self, kind, proc):
        if procs.wait_end(proc, f"neighbour {kind}", 120) != 0:
            raise procs.Trouble(f"neighbour {kind}: {tail(self.path(f'pair.{kind}.err'))}")

    def neighbour(self, kind):
        self.end_neighbour(kind, self.start_neighbour(kind))

    def play(self, agent_path):
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        agent = Agent(agent_path, self.folder)
        try:
            self.attack()
            time.sleep(0.3)
            pss = pss_kb(agent.proc.pid)
            trace, summary = agent.finish()
        finally:
            procs.stop(self.bad)
            procs.stop(agent.proc)
        self.note = f"agent {pss >> 10} MiB, losses {json.dumps(summary.get('losses'))}"
        yield from self.judge(trace, summary)
        yield from self.judge_neighbours()
        if pss > PSS_MAX_KB:
            yield f"the agent grew to {pss >> 10} MiB"
        for record in trace:
            tool = record.get("tool")
            if tool in FORGED or (tool in UNANSWERED and record["outcome"] != "unanswered"):
                yield f"forged: {json.dumps(record)}"
                break

    def judge_neighbours(self):
        for kind in self.neighbours:
            check = subprocess.run([os.path.join(VM, "check"), *self.lossy, "-c", channel(kind), kind, self.path("trace.jsonl"), self.path("agent.err"),
                                    self.path(f"truth.{kind}")], capture_output=True, text=True, check=False)
            if check.returncode != 0:
                yield f"neighbour: {check.stdout.strip()}"


class Calm(Row):
    """Nobody is hostile: every transport, every size, one pair after the other."""
    neighbours = ("pipe", "fifo", "unix", "unix1", "abstract", "tcp", "tcp6", "http", "http6")
    calls = 200
    longest = 2 << 20
    lossy = ()

    def attack(self):
        for kind in self.neighbours:
            self.neighbour(kind)

    def judge(self, trace, summary):
        return ()


class Together(Calm):
    """The same, all at once; in sum no more than one pair may move."""
    longest = 512 << 10
    env = {"PAIR_RATE": "2000000"}

    def attack(self):
        for kind, proc in [(kind, self.start_neighbour(kind)) for kind in self.neighbours]:
            self.end_neighbour(kind, proc)


class Siege(Row):
    """The program goes on for as long as the neighbours talk."""
    neighbours = ("pipe", "unix", "http")
    calls = 120

    def __init__(self, name, *words):
        super().__init__(name)
        self.command = self.words(*words)

    def attack(self):
        self.bad = procs.start(self.command, self.path("bad.out"), self.path("bad.err"))
        procs.wait_for("hostile program", lambda: "ready" in tail(self.path("bad.out")), self.bad, 60)
        for kind in self.neighbours:
            self.neighbour(kind)
        if self.bad.poll() is not None:
            raise procs.Trouble(f"hostile program ended with {self.bad.returncode}: {tail(self.path('bad.err'))}")

    def judge(self, trace, summary):
        return ()


class Once(Row):
    """The program runs to its end, then a neighbour."""

    def attack(self):
        self.bad = procs.start(self.command, self.path("bad.out"), self.path("bad.err"))
        self.neighbour("unix")
        code = procs.wait_end(self.bad, "hostile program", 60)
        if code == 77:
            raise Skip(f"not possible on this machine: {tail(self.path('bad.err'))}")
        if code != 0:
            raise procs.Trouble(f"hostile program ended with {code}: {tail(self.path('bad.err'))}")


class Bypass(Once):
    """Some messages of an MCP pair go by other system calls. Whatever one end still shows is decoded; whatever nobody
    saw is a loss with a name, and the calls around it are whole."""

    def __init__(self, kind, writer, reader):
        super().__init__(f"{kind}-{writer}-{reader}")
        self.blind = writer != "write" and reader != "read"
        self.command = self.words("bypass", kind, writer, reader, self.path("truth.bypass"))

    def judge(self, trace, summary):
        with open(self.path("truth.bypass"), encoding="ascii") as f:
            truth = [json.loads(line) for line in f]
        server = next(t["pid"] for t in truth if t["peer"] == "server")
        calls = [t for t in truth if t["t"] == "call"]
        seen = {}
        for r in trace:
            if r["kind"] == "call" and r.get("server", {}).get("pid") == server:
                seen.setdefault(r.get("id"), []).append(r)
        unseen = 0
        for call in calls:
            got = seen.pop(call["id"], [])
            why = differs(call, got)
            if why and not call["bypassed"]:
                yield why
            unseen += bool(why)
            if why and len(got) > 1:
                yield why
        for records in seen.values():
            yield f"never happened: {json.dumps(records[0])}"
        if (unseen or self.blind) and not named(trace, summary):
            yield f"{unseen} calls were not seen whole, and no loss says so"
        self.note += f", {unseen} of {sum(c['bypassed'] for c in calls)} bypassing calls not whole"


class Compat(Once):
    def __init__(self):
        super().__init__("compat32-forgery")
        self.command = self.words("compat32", "100")

    def judge(self, trace, summary):
        honest = sum(r["kind"] == "call" and r.get("tool") == "honest" and r["outcome"] == "ok" for r in trace)
        if honest != 100:
            yield f"{honest} of 100 honest calls"


def channel(kind):
    return {"pipe": "pipe", "fifo": "pipe", "unix": "unix", "unix1": "unix", "abstract": "unix"}.get(kind, "tcp")


def differs(call, got):
    if len(got) != 1:
        return f"call {call['id']}: {len(got)} times"
    for field in ("method", "tool", "outcome", "request_bytes", "response_bytes"):
        if call.get(field) != got[0].get(field):
            return f"call {call['id']}: {field} {got[0].get(field)}, want {call.get(field)}"
    return None


def named(trace, summary):
    """A loss in words: a record of its own, and in the summary."""
    return any(r["kind"] == "loss" for r in trace) and bool(summary.get("losses"))


def pss_kb(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("Pss:"))


def rows():
    yield Calm("calm-apart")
    yield Together("calm-together")
    yield Siege("flood-noise", "flood", "noise")
    yield Siege("flood-json", "flood", "json")
    yield Siege("flood-churn", "flood", "churn")
    yield Siege("many-pipes", "manystreams", "pipe")
    yield Siege("many-sockets", "manystreams", "unix")
    yield Compat()
    for writer in ("splice", "tee", "vmsplice", "sendfile", "uring", "compat"):
        yield Bypass("pipe", writer, "read")
    for reader in ("splice", "uring"):
        yield Bypass("pipe", "write", reader)
    for writer, reader in (("splice", "splice"), ("vmsplice", "uring"), ("uring", "uring")):
        yield Bypass("pipe", writer, reader)
    for writer, reader in (("splice", "read"), ("sendfile", "read"), ("uring", "read"), ("write", "splice"),
                           ("write", "uring"), ("uring", "uring"), ("sendfile", "splice")):
        yield Bypass("unix", writer, reader)


def build():
    os.makedirs(os.path.join(OUT, "bin"), exist_ok=True)
    subprocess.run([os.path.join(ROOT, "tests", "vm", "build"), VM], check=True)
    for name, sources in PROGRAMS.items():
        subprocess.run(["gcc", *FLAGS, *(os.path.join(HERE, s) for s in sources), "-o", os.path.join(OUT, "bin", name)],
                       check=True)


def run(row, agent, count):
    try:
        diffs = list(row.play(agent))
    except Skip as e:
        count["skipped"] += 1
        print(f"skip {row.name}: {e}", flush=True)
        return
    except procs.Trouble as e:
        diffs = [str(e)]
    finally:
        procs.reap()
    if diffs:
        count["failed"] += 1
        print(f"FAIL {row.name}: {len(diffs)} differences")
        print("".join(f"       {d[:300]}\n" for d in diffs[:6]), end="", flush=True)
    else:
        count["passed"] += 1
        print(f"ok   {row.name}: {row.note}", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("rows", nargs="*", help="names; default all")
    options = parser.parse_args()
    build()
    procs.adopt_orphans()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for row in rows():
        if not options.rows or row.name in options.rows:
            run(row, options.agent, count)
    print(", ".join(f"{n} {word}" for word, n in count.items() if n or word != "skipped"))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if count["failed"] or not sum(count.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
