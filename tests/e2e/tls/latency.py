#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How long a new process speaks TLS before its probes are on, and how many of its calls are missed by that.

    tests/e2e/tls/latency.py [--rounds N] [--json] [--agent FILE] [PEER...]      as root; peers: node, cpython, go, c

    attached   another process maps the file, which is probed already
    cached     nobody maps the file, and what the resolver said of it is known from its last use
    new        a file whose bytes nobody has seen: a copy with others at its end, in memory already

Each peer talks to itself, so that both ends of its calls are new at once: a call each 10 ms from its first one on, the C pair as
fast as it can. Its first TLS byte and its probes are told by the records of the kernel side and of the process that attaches
(EV_HELLO, EV_HOOKED); what was missed, by what the peer counted and what a replay of the recording shows.

Prints a Markdown table, median and maximum of the rounds. No time is a failure; a round that cannot be measured is."""
import argparse
import json
import os
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import cells  # noqa: E402
import procs  # noqa: E402
from agent import Agent  # noqa: E402
from probed import probes  # noqa: E402
from stage import BIN, VM, Stage, build, until  # noqa: E402

LIVE = {"attached": 1, "cached": 1, "new": 3}  # seconds after a peer's first answer: its probes are on by then
C_CALLS = "300"
HEAD = 64  # bytes in front of a recording's records
HDR = struct.Struct("<IHHQII")
EV_HELLO, EV_HOOKED, HOOKED_YES = 6, 7, 1


def records(path):
    """(kind, boot ns, pid, bytes) of a recording."""
    with open(path, "rb") as f:
        tape = f.read()
    at = HEAD
    while at + HDR.size <= len(tape):
        size, kind, _, ts, pid, _ = HDR.unpack_from(tape, at)
        yield kind, ts, pid, tape[at:at + size]
        at += (size + 7) & ~7


class Tape(Agent):
    """The agent as it records."""

    def __init__(self, path, folder, name):
        self.tape, self.err, self.path = os.path.join(folder, name + ".tape"), os.path.join(folder, name + ".err"), path
        self.proc = procs.start([path, "record", self.tape], os.path.join(folder, name + ".out"), self.err)
        procs.wait_for("agent: no line 'watching'", self.watching, self.proc)

    def end(self):
        """({pid: first TLS byte}, {pid: probes on}, [(pids of a call's two ends)])"""
        self.proc.send_signal(signal.SIGINT)
        if procs.wait_end(self.proc, "agent", 60) != 0:
            raise procs.Trouble(f"the agent ended with {self.proc.returncode}")
        hello, on = {}, {}
        for kind, ts, pid, record in records(self.tape):
            if kind == EV_HELLO:
                hello.setdefault(pid, ts)
            elif kind == EV_HOOKED and record[44] == HOOKED_YES:
                on.setdefault(pid, struct.unpack_from("<Q", record, 200)[0])
        done = subprocess.run([self.path, "replay", "-o", "json", self.tape], capture_output=True, text=True, check=True)
        os.unlink(self.tape)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        return hello, on, [{r.get(end, {}).get("pid") for end in ("client", "server")} for r in lines if r["kind"] == "call"]


class Peer:
    """A program of one runtime. @file: what is probed."""

    name, is_library, words = "", False, ()

    def __init__(self, stage, file):
        self.stage, self.file = stage, file
        self.known, self.env = self.copy("known")

    def copy(self, name):
        """(path, environment) of a copy of the file that differs from all others, and what runs with it."""
        folder = self.stage.path(f"{self.name}.{name}")
        path = os.path.join(folder, os.path.basename(self.file))
        os.makedirs(folder)
        shutil.copy(self.file, path)
        with open(path, "ab") as f:
            f.write(os.urandom(8))
        return path, {"LD_LIBRARY_PATH": folder} if self.is_library else {}

    def run(self, file, env, seconds):
        """(pids, calls made)"""
        key, cert = self.stage.path("key.pem"), self.stage.path("cert.pem")
        words = [file if word is None else word for word in self.words]
        proc = self.stage.start(*words, key, cert, env=env)
        time.sleep(seconds)
        said = json.loads(self.stage.end(proc))
        if said["failed"]:
            raise procs.Trouble(f"{self.name}: {said['failed']} requests failed, first {said['first']}")
        return {proc.pid}, said["requests"]


class Node(Peer):
    name, words = "node", (None, os.path.join(HERE, "load.mjs"))


class Python(Peer):
    name, words, is_library = "cpython", (sys.executable, os.path.join(HERE, "load.py")), True


class Go(Peer):
    name, words = "go", (None,)


class Pair(Peer):
    name, is_library = "c", True

    def run(self, file, env, seconds):
        truth = self.stage.path("truth")
        done = subprocess.run([os.path.join(VM, "pair-tls"), "https", C_CALLS, "1", truth, "2000"], env={**os.environ, **env},
                              stderr=subprocess.PIPE, text=True, timeout=60, check=False)
        if done.returncode != 0:
            raise procs.Trouble(f"pair: {done.stderr}")
        with open(truth, encoding="ascii") as f:
            lines = [json.loads(line) for line in f]
        os.unlink(truth)
        time.sleep(seconds)
        return {line["pid"] for line in lines}, sum(line["t"] == "call" for line in lines)


def peers_of(stage, names):
    """Those that this machine can run."""
    go = os.path.join(BIN, "load")
    if shutil.which("go"):
        subprocess.run(["go", "build", "-o", go, os.path.join(HERE, "load.go")], check=True)
    files = {Node: shutil.which(cells.node()), Python: stage.libssl, Go: go if os.path.exists(go) else None, Pair: stage.libssl}
    for kind, file in files.items():
        if names and kind.name not in names:
            continue
        if file:
            yield kind(stage, os.path.realpath(file))
        else:
            print(f"{kind.name}: not on this machine", file=sys.stderr)


class Run:
    """One process, or the pair's two, in one way."""

    def __init__(self, peer, way, pids, made):
        self.peer, self.way, self.pids, self.made = peer, way, pids, made

    def judge(self, hello, on, calls):
        """Where the probes were there first they have named the socket, and no TLS record is told of."""
        name = f"{self.peer.name}, {self.way}"
        if not all(on.get(pid) for pid in self.pids):
            raise procs.Trouble(f"{name}: never probed")
        self.late = max(0, *(on[pid] - hello[pid] for pid in self.pids if pid in hello), 0) / 1e6
        self.missed = self.made - sum(bool(ends & self.pids) for ends in calls)
        if self.missed < 0 or (self.missed and not self.pids & set(hello)):
            raise procs.Trouble(f"{name}: {self.missed} of {self.made} calls missed, TLS records seen of {len(self.pids & set(hello))} processes")


def hold(stage, peers):
    """A process that maps what is known of each peer, once it is probed."""
    holder = stage.map(*(peer.known for peer in peers))
    ready = lambda: all(peer.known in probes(holder.pid, os.path.basename(peer.known)) for peer in peers)  # noqa: E731
    if not until(ready, 30):
        raise procs.Trouble("a file that is held is not probed")
    return holder


def play(stage, peers, agent, nr):
    """A round: each peer in each way."""
    tape = Tape(agent, stage.folder, f"round.{nr}")
    stage.agent = tape
    runs = []

    def go(peer, way, file, env):
        runs.append(Run(peer, way, *peer.run(file, env, LIVE[way])))

    for peer in peers:
        go(peer, "cached", peer.known, peer.env)
    holder = hold(stage, peers)
    for peer in peers:
        go(peer, "attached", peer.known, peer.env)
        file, env = peer.copy(str(nr))
        go(peer, "new", file, env)
        shutil.rmtree(os.path.dirname(file))
    told = tape.end()
    stage.end(holder)
    for run in runs:
        run.judge(*told)
    return runs


def rows(runs):
    """A row for each peer and file, the rounds in it."""
    for name, way in dict.fromkeys((run.peer.name, run.way) for run in sorted(runs, key=lambda run: list(LIVE).index(run.way))):
        some = [run for run in runs if (run.peer.name, run.way) == (name, way)]
        yield {"peer": name, "file": way, "bytes": os.path.getsize(some[0].peer.known), "late_ms": [run.late for run in some],
               "missed": [run.missed for run in some], "made": [run.made for run in some]}


def table(all_rows):
    print("| new process | file | first TLS byte to probes on, ms: median, maximum | calls missed: median, maximum, of |\n|---|---|---|---|")
    for r in all_rows:
        print(f"| {r['peer']} | {r['file']}, {r['bytes'] / 1e6:.1f} MB | {statistics.median(r['late_ms']):.1f}, {max(r['late_ms']):.1f} | "
              f"{statistics.median(r['missed']):.0f}, {max(r['missed'])}, {statistics.median(r['made']):.0f} |")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("peers", nargs="*", help="node, cpython, go, c; default all")
    options = parser.parse_args()
    agent = os.path.abspath(options.agent)
    build()
    procs.adopt_orphans()
    stage = Stage("latency", agent)
    try:
        subprocess.run([stage.tool("cert"), stage.path("key.pem"), stage.path("cert.pem")], check=True)
        peers, runs = list(peers_of(stage, options.peers)), []
        stage.agent = Tape(agent, stage.folder, "known")
        holder = hold(stage, peers)
        stage.agent.end()
        stage.end(holder)
        for nr in range(options.rounds):
            runs += play(stage, peers, agent, nr)
        if options.json:
            print(json.dumps(list(rows(runs))))
        else:
            table(rows(runs))
    except (procs.Trouble, subprocess.SubprocessError, OSError, ValueError) as e:
        print(f"cannot be measured: {e}", file=sys.stderr)
        return 1
    finally:
        stage.clean()
        procs.reap()
    return 0


if __name__ == "__main__":
    sys.exit(main())
