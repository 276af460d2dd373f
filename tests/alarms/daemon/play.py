# SPDX-License-Identifier: Apache-2.0
"""Peers that rows tell what to do, and what they say they did."""
import json
import os
import subprocess
import sys

import procs
from compare import compare, read_lines
from daemon import PATIENCE, check

HERE = os.path.dirname(os.path.abspath(__file__))
SERVER = [sys.executable, os.path.join(HERE, "..", "..", "e2e", "raw", "server.py"), "whole"]


class Client:
    """client.py and its server."""

    def __init__(self, folder, name="client", server=SERVER, greeted=True):
        self.truth, self.err = os.path.join(folder, f"{name}.truth"), os.path.join(folder, f"{name}.err")
        with open(self.err, "wb") as err:
            self.proc = subprocess.Popen([sys.executable, os.path.join(HERE, "client.py"), "--", *server], text=True, stderr=err,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
                                         env={**os.environ, "TRUTH": self.truth})
        self.pid = self.proc.pid
        if greeted:
            self.done()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        procs.stop(self.proc)
        self.proc.stdin.close()
        self.proc.stdout.close()

    def done(self):
        if self.proc.stdout.readline() != "done\n":
            with open(self.err, encoding="utf-8") as f:
                raise procs.Trouble(f"client failed: {f.read()}")

    def tell(self, line):
        self.start(line)
        self.done()

    def start(self, line):
        """Without waiting until it is done."""
        self.proc.stdin.write(line + "\n")
        self.proc.stdin.flush()

    def end(self):
        self.start("end")
        if procs.wait_end(self.proc, "client", PATIENCE):
            self.done()

    def server(self):
        """pid of its server."""
        with open(f"/proc/{self.pid}/task/{self.pid}/children", encoding="ascii") as f:
            return int(f.read().split()[0])


def records_of(text):
    """Of a trace. Losses are left out: others on this host may lose something, and what a peer of ours lost is missing."""
    records = [json.loads(line) for line in text.splitlines()]
    check([r["seq"] for r in records] == list(range(1, len(records) + 1)), "the numbers of the records have holes")
    return [{**r, "seq": n} for n, r in enumerate((r for r in records if r["kind"] != "loss"), 1)]


def exact(truth, records, what):
    """Every call and notification that the peers tell of in @truth is in @records once, and nothing else of theirs."""
    lines = read_lines(truth)
    check(sum(line["t"] == "call" for line in lines) > 1, f"{what}: the peers made no calls")
    diffs = compare(lines, records)
    check(not diffs, f"{what}: {len(diffs)} differences: {'; '.join(diffs[:3])}")
