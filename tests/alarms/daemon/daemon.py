# SPDX-License-Identifier: Apache-2.0
"""The daemon under test, `AGENT run` with a configuration of its own, and what can be asked of it."""
import json
import os
import re
import signal
import subprocess
import time
import urllib.error
import urllib.request

import procs

OPENMETRICS = "application/openmetrics-text;version=1.0.0"
SAMPLE = re.compile(r"^([a-z_]+)(?:\{(.*)\})? ([0-9.e+]+)$", re.M)
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')
PATIENCE = 30


def check(is_true, text):
    if not is_true:
        raise AssertionError(text)


def same(got, want, what):
    check(got == want, f"{what}: got {got!r}, want {want!r}")


def wait_until(what, true, seconds=PATIENCE):
    """What @true() returns once it is something true. The time is a stop, not a measure."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        got = true()
        if got:
            return got
        time.sleep(0.05)
    raise AssertionError(f"not within {seconds} s: {what}")


def write(path, text, mode=0o600):
    """By a rename, so that nobody reads half of it."""
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(text)
    os.chmod(path + ".new", mode)
    os.rename(path + ".new", path)


def read(path):
    if not os.path.exists(path):
        return ""
    with open(path, encoding="utf-8", errors="surrogateescape") as f:
        return f.read()


def merged(a, b):
    out = dict(a)
    for key, value in b.items():
        out[key] = merged(out[key], value) if isinstance(value, dict) and isinstance(out.get(key), dict) else value
    return out


class Daemon:
    """@config is laid over one that keeps everything in @folder. JSON is YAML."""

    def __init__(self, agent, folder, config=None, args=(), env=None):
        self.agent, self.folder = agent, folder
        self.file, self.log = os.path.join(folder, "mcpvigil.yaml"), os.path.join(folder, "alerts.jsonl")
        self.socket, self.key = os.path.join(folder, "ctl.sock"), os.path.join(folder, "fp.key")
        self.out, self.err = os.path.join(folder, "run.out"), os.path.join(folder, "run.err")
        self.port = procs.free_port()
        self.config = merged({
            "key_file": self.key, "control": {"socket": self.socket}, "alert_log": {"path": self.log},
            "prometheus": {"listen": f"127.0.0.1:{self.port}"}, "loops": {"round_gap": "20ms"}}, config or {})
        self.args, self.env, self.proc, self.read_to = list(args), env, None, 0

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        procs.stop(self.proc, timeout=20)

    def configure(self, config=None):
        self.config = merged(self.config, config or {})
        write(self.file, json.dumps(self.config, indent=1))

    def spawn(self):
        self.proc = procs.start([self.agent, "run", "--config", self.file, *self.args], self.out, self.err, self.env)

    def start(self):
        self.configure()
        self.spawn()
        try:
            procs.wait_for("no line 'watching'", lambda: "\nwatching" in "\n" + self.said(), self.proc)
        except procs.Trouble as e:
            raise procs.Trouble(f"{e}: {self.said()}") from e

    def refused(self):
        """It must not start: what it says."""
        self.spawn()
        same(procs.wait_end(self.proc, "an agent that should not start", PATIENCE), 1, "exit status")
        return self.said()

    def said(self):
        return read(self.err)

    def signal(self, sig):
        self.proc.send_signal(sig)

    def reload(self):
        """SIGHUP; what it says to that."""
        before = len(self.said())
        self.signal(signal.SIGHUP)
        return wait_until("an answer to SIGHUP", lambda: re.search(r"(?s).*reload.*\n", self.said()[before:]))[0]

    def end(self):
        """It must end well."""
        self.signal(signal.SIGTERM)
        code = procs.wait_end(self.proc, "agent", PATIENCE)
        same(code, 0, f"the agent's exit status ({self.said()[-500:]})")

    def get(self, path, accept="text/plain"):
        """(status, text)"""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers={"Accept": accept})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as e:
            return e.code, e.read().decode()

    def metric(self, name, **labels):
        """Sum of the samples of @name that have these labels."""
        found = SAMPLE.findall(self.get("/metrics")[1])
        return sum(float(value) for sample, text, value in found
                   if sample == name and labels.items() <= dict(LABEL.findall(text)).items())

    def ready(self):
        return self.get("/readyz")

    def ask(self, *words):
        """What a command prints that asks the agent."""
        done = subprocess.run([self.agent, *words, "--socket", self.socket], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60)
        same(done.returncode, 0, f"{words}: {done.stderr}: exit status")
        return done.stdout

    def calls(self):
        """(in flight, deaths, total) as records."""
        lines = [json.loads(line) for line in self.ask("calls", "--once", "-o", "json").splitlines()]
        return [[r for r in lines if r["kind"] == kind] for kind in ("in_flight", "death", "calls_total")]

    def alerts(self, pid, state="firing"):
        """Of the client @pid, from the log, oldest first: others on this host may speak MCP too."""
        names = [self.log, *(f"{self.log}.{n}" for n in range(1, 10))]
        lines = [line for name in reversed(names) for line in read(name).splitlines()]
        return [a for a in map(json.loads, lines) if a.get("client", {}).get("pid") == pid and a["state"] == state]


class Trace:
    """`AGENT trace` over the daemon's control socket."""

    def __init__(self, daemon, form="json", name="trace", words=()):
        self.out, self.err = (os.path.join(daemon.folder, f"{name}.{end}") for end in ("out", "err"))
        self.proc = procs.start([daemon.agent, "trace", "-o", form, "--socket", daemon.socket, *words], self.out, self.err)
        procs.wait_for(f"{name}: no line 'watching'", lambda: "\nwatching" in "\n" + read(self.err), self.proc)

    def finish(self):
        """(its output, its last line)"""
        self.proc.send_signal(signal.SIGINT)
        return self.ended()

    def ended(self):
        same(procs.wait_end(self.proc, "trace", PATIENCE), 0, f"{read(self.err)}: exit status of trace")
        return read(self.out), read(self.err).splitlines()[-1]
