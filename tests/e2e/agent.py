# SPDX-License-Identifier: Apache-2.0
"""The agent under test: `AGENT trace -o json`, from its line `watching` to its summary."""
import json
import os
import signal

import procs
from compare import read_lines


class Agent:
    def __init__(self, path, folder, args=()):
        self.out = os.path.join(folder, "trace.jsonl")
        self.err = os.path.join(folder, "agent.err")
        self.proc = procs.start([path, "trace", "-o", "json", *args], self.out, self.err)
        try:
            procs.wait_for("agent: no line 'watching'", self.watching, self.proc)
        except procs.Trouble as e:
            raise procs.Trouble(f"{e}: {tail(self.err)}") from e

    def watching(self):
        with open(self.err, encoding="utf-8", errors="replace") as f:
            return any(line.startswith("watching") and line.endswith("\n") for line in f)

    def finish(self, timeout=20):
        """SIGINT, then (records, summary)."""
        self.proc.send_signal(signal.SIGINT)
        code = procs.wait_end(self.proc, "agent", timeout)
        if code != 0:
            raise procs.Trouble(f"agent ended with {code}: {tail(self.err)}")
        try:
            return read_lines(self.out), json.loads(tail(self.err))
        except ValueError as e:
            raise procs.Trouble(f"agent's output is no JSON: {e}") from e


def tail(path):
    """The last line of a file."""
    with open(path, encoding="utf-8", errors="replace") as f:
        lines = f.read().splitlines()
    return lines[-1] if lines else ""
