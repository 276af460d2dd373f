#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Oddly framed C pairs over TLS (tests/vm/pair.c, tls.c, tls_gnutls.c) beside the agent: each way in which programs use OpenSSL,
loaded and linked in, and GnuTLS; both kinds of uprobes. Every call exactly, none twice.

    tests/e2e/tls/pairs.py [PAIRS] [--agent FILE]       of each way (4)

A line per row, then "N passed, N failed"; RESULTS as everywhere."""
import argparse
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

OUT = os.path.join(ROOT, "build", "tls-pairs")
VM = os.path.join(ROOT, "build", "vm")
PROGRAMS = {"pair-tls": "openssl", "pair-tls-static": "openssl", "pair-gnutls": "gnutls"}
WAYS = ("tls", "tls-nb", "tls-mem", "https", "https-nb", "https-mem")
CALLS, LONGEST = 30, 300000


class Pair:
    def __init__(self, folder, program, way, seed):
        self.name = f"{program} {way} {seed}"
        self.folder = os.path.join(folder, self.name.replace(" ", "."))
        os.makedirs(self.folder)
        self.stack = PROGRAMS[program]
        self.words = [os.path.join(VM, program), way, str(CALLS), str(seed), self.path("truth"), str(LONGEST)]
        self.proc = self.trouble = None

    def path(self, name):
        return os.path.join(self.folder, name)

    def start(self, late=False):
        env = {"PAIR_LATE": self.folder} if late else None
        self.proc = procs.start(self.words, self.path("out"), self.path("err"), env)

    def early(self):
        """The connection is there, calls were made on it, and it is quiet."""
        procs.wait_for(f"{self.name}: early calls", lambda: os.path.exists(self.path("early")), self.proc)

    def go(self):
        open(self.path("go"), "w", encoding="ascii").close()

    def end(self):
        code = procs.wait_end(self.proc, self.name, 120)
        if code != 0:
            self.trouble = f"the pair itself ended with {code}: {tail(self.path('err'))}"

    def judge(self, folder):
        """What is wrong, or None."""
        check = subprocess.run([os.path.join(VM, "check"), "-c", "tcp", "-t", self.stack, self.name, os.path.join(folder, "trace.jsonl"),
                                os.path.join(folder, "agent.err"), self.path("truth")], capture_output=True, text=True, check=False)
        return self.trouble or (check.stdout.strip() if check.returncode else None)


def hold():
    """Processes that map what is to be probed, so that the agent knows it when it says that it watches."""
    return [subprocess.Popen([os.path.join(VM, p), "hold"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) for p in PROGRAMS]


def younger(folder, pairs, start_agent):
    holders = hold()
    agent = start_agent(folder)
    for pair in pairs:
        pair.start()
        pair.end()
    for holder in holders:
        holder.communicate()
    return agent


def older(folder, pairs, start_agent):
    for pair in pairs:
        pair.start(late=True)
    for pair in pairs:
        pair.early()
    agent = start_agent(folder)
    for pair in pairs:
        pair.go()
        pair.end()
    return agent


def play(name, how, uprobes, options):
    """One run of the agent; the pairs of which something is wrong, with it."""
    folder = os.path.join(OUT, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    pairs = [Pair(folder, program, way, seed) for seed in range(1, options.pairs + 1) for program in PROGRAMS for way in WAYS]
    os.environ["MCPVIGIL_UPROBES"] = uprobes
    agent = how(folder, pairs, lambda f: Agent(options.agent, f))
    time.sleep(0.5)
    agent.finish()
    return [(pair, why) for pair in pairs for why in [pair.judge(folder)] if why], len(pairs)


def report(name, how, uprobes, options):
    try:
        bad, n = play(name, how, uprobes, options)
    except procs.Trouble as e:
        print(f"FAIL  {name}: {e}", flush=True)
        return False
    finally:
        procs.reap()
    if not bad:
        print(f"ok    {name}: {n} pairs", flush=True)
        return True
    print(f"FAIL  {name}: {len(bad)} of {n} pairs")
    for _, why in bad[:6]:
        print(f"      {why[:300]}")
    sys.stdout.flush()
    return False


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("pairs", nargs="?", type=int, default=4)
    options = parser.parse_args()
    options.agent = os.path.abspath(options.agent)
    subprocess.run([os.path.join(ROOT, "tests", "vm", "build"), VM], check=True)
    procs.adopt_orphans()
    count = [0, 0]
    for uprobes in ("multi", "perf"):
        for how in (younger, older):
            count[not report(f"connections {how.__name__} than the agent, {uprobes} uprobes", how, uprobes, options)] += 1
    print(f"{count[0]} passed, {count[1]} failed")
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count, 0, file=f)
    return 1 if count[1] else 0


if __name__ == "__main__":
    sys.exit(main())
