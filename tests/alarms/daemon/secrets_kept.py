# SPDX-License-Identifier: Apache-2.0
"""Nothing of what peers say leaves the agent: a secret in every place, and every output byte searched for it."""
import base64
import json
import os
import random
import re
import string
import subprocess
import sys
from collections import Counter

import cells
import planted
import procs
from daemon import OPENMETRICS, PATIENCE, Daemon, Trace, check, read, same, wait_until, write
from play import HERE, records_of
from receiver import Receiver

PEER = os.path.join(HERE, "planted.py")
NODE = os.path.join(HERE, "planted.mjs")


def plant():
    """{place: secret}, each of its own. One is a number."""
    dice = random.SystemRandom()
    found = {place: "".join(dice.choices(string.ascii_letters + string.digits, k=24)) for place in planted.IN_JSON + planted.ELSEWHERE}
    found["number"] = str(dice.randrange(10**14, 10**15))
    return found


def forms(secret):
    """As it may be written: itself, base64 at each offset, hex, percent signs, JSON escapes."""
    yield secret
    yield secret.hex().encode()
    yield secret.hex().upper().encode()
    yield b"".join(b"%%%02x" % c for c in secret)
    yield b"".join(b"%%%02X" % c for c in secret)
    yield b"".join(b"\\u%04x" % c for c in secret)
    for skip in range(3):
        whole = (skip + len(secret)) // 3 * 3 - skip
        coded = base64.b64encode(b"\0" * skip + secret[:whole])[4 * (skip > 0):]
        yield coded
        yield coded.replace(b"+", b"-").replace(b"/", b"_")


def found_in(data, secrets):
    low = data.lower()
    return sorted({place for place, secret in secrets.items()
                   if any(form in data or form.lower() in low for form in forms(secret))})


class Peers:
    """Clients and servers of all kinds, one after the other; what each client said that it sent."""

    def __init__(self, folder, secrets):
        self.folder, self.env, self.said = folder, {"PLANTED": json.dumps(secrets)}, {}
        self.port = procs.free_port()
        self.http = procs.start([sys.executable, PEER, "http", str(self.port)], os.devnull, os.path.join(folder, "server.err"), self.env)
        procs.wait_for("HTTP server", lambda: procs.listening(self.port), self.http)
        self.url = f"http://127.0.0.1:{self.port}/mcp"
        server = [sys.executable, PEER, "server", f"--key={secrets['command']}"]
        self.clients = {
            "stdio": [sys.executable, PEER, "client", "--", *server], "http": [sys.executable, PEER, "client", self.url],
            "sse": [sys.executable, PEER, "oldsse", self.url],
            "ts-stdio": [cells.node(), NODE, "--transport", "stdio", "--", *server],
            "ts-http": [cells.node(), NODE, "--transport", "http", "--url", self.url]}

    def play(self, name):
        """pid of the client."""
        out, err = (os.path.join(self.folder, f"{name}.{end}") for end in ("sent", "err"))
        proc = procs.start(self.clients[name], out, err, self.env)
        same(procs.wait_end(proc, name, PATIENCE), 0, f"{read(err)}: status of the client {name}")
        self.said[proc.pid] = Counter(line.strip() for line in read(out).splitlines())
        return proc.pid


def sent_by(records, pid):
    """What the records say of a client's session, in the words of planted.py."""
    ours = [r for r in records if r["kind"] in ("call", "notification") and r.get("client", {}).get("pid") == pid]
    words = (f"{r['from']} {r['method']} {r.get('tool', r.get('prompt', ''))}".strip() for r in ours
             if r["kind"] == "call" or r["from"] == "client")
    return Counter(words)


def outputs(daemon, traces, receivers):
    """{name: all bytes of it}"""
    found = {name: daemon.get(path, accept)[1] for name, path, accept in (
        ("page", "/metrics", "text/plain"), ("openmetrics", "/metrics", OPENMETRICS), ("healthz", "/healthz", "*/*"),
        ("readyz", "/readyz", "*/*"), ("404", "/x", "*/*"))}
    found.update(doctor=daemon.ask("doctor"), calls=daemon.ask("calls", "--once"), calls_json=daemon.ask("calls", "--once", "-o", "json"))
    for name, trace in traces.items():
        trace.finish()
        found[name], found[f"{name}'s words"] = read(trace.out), read(trace.err)
    daemon.end()
    found.update({"alert log": read(daemon.log), "standard output": read(daemon.out), "standard error": daemon.said()})
    raw = {name: text.encode("utf-8", "surrogateescape") for name, text in found.items()}
    return {**raw, **{name: r.raw for name, r in receivers.items()}}


def hold(daemon, peers):
    """Clients whose calls hang, and whose server dies, so that `calls` has something to show."""
    words = [sys.executable, PEER, "hang", "--", sys.executable, PEER, "server"]
    return procs.start(words, os.devnull, os.path.join(daemon.folder, "hang.err"), peers.env)


def config_with(receivers, secrets, folder):
    """A URL with a password and a token, a signing key."""
    write(os.path.join(folder, "webhook.secret"), secrets["signing"] + "\n")
    return {"alertmanager": {"urls": [f"http://me:{secrets['am_password']}@127.0.0.1:{receivers['alertmanager'].port}"],
                             "timeout": "500ms"},
            "webhook": {"urls": [f"http://me:{secrets['hook_password']}@127.0.0.1:{receivers['webhook'].port}/{secrets['hook_path']}"
                                 f"?k={secrets['hook_query']}"], "timeout": "500ms", "group_wait": "0s",
                        "secret_file": os.path.join(folder, "webhook.secret")}}


def secrets_stay(env):
    """Every kind of message, by every transport, with a secret in each place; loops, so that alerts have evidence; calls
    that hang and servers that die. Every call is there, and no secret in any byte of output."""
    secrets = plant()
    own = {name: base64.b32encode(os.urandom(15)).decode() for name in ("signing", "am_password", "hook_password", "hook_path", "hook_query")}
    receivers = {"alertmanager": Receiver("error"), "webhook": Receiver("error")}
    control = os.path.join(env.folder, "control.out")
    with Daemon(env.agent, env.folder, config_with(receivers, own, env.folder)) as daemon:
        traces = {form: Trace(daemon, form, form, ["--color", "always"] if form == "compact" else []) for form in ("json", "compact")}
        shown = procs.start([env.agent, "trace", "--no-agent", "--content", "-o", "json"], control, control + ".err")
        procs.wait_for("no line 'watching'", lambda: "watching" in read(control + ".err"), shown)
        refused = subprocess.run([env.agent, "trace", "--content", "--socket", daemon.socket], stdin=subprocess.DEVNULL,
                                 capture_output=True, text=True, timeout=PATIENCE)
        check(refused.returncode == 1 and "keeps no payloads" in refused.stderr, f"trace --content: {refused.stderr}")
        peers = Peers(env.folder, secrets)
        pids = {name: peers.play(name) for name in peers.clients}
        fails = wait_until("the outputs fail", lambda: daemon.said().count(" fails: HTTP 500") == 2)
        for receiver in receivers.values():
            receiver.set("ok")
        hanging = hold(daemon, peers)
        wait_until("a call hangs", lambda: [r for r in daemon.calls()[0] if r.get("client", {}).get("pid") == hanging.pid])
        for name, pid in pids.items():
            wait_until(f"an alert of the client {name}", lambda: daemon.alerts(pid))
        wait_until("the outputs work", lambda: fails and all(r.got for r in receivers.values()))
        procs.stop(shown)
        shown_text = read(control)
        found = outputs(daemon, traces, receivers)
        key = read(daemon.key).strip()
    for receiver in receivers.values():
        receiver.set("refused")
    judge(found, peers, secrets, own, key)
    # With --content all of it is there: the search finds what there is, and the peers did say it.
    missing = set(planted.IN_JSON) - set(found_in(shown_text.encode("utf-8", "surrogateescape"), as_bytes(secrets)))
    same(missing, set(), "places that the trace with content does not show")


def as_bytes(secrets):
    return {name: value.encode() for name, value in secrets.items()}


def judge(found, peers, secrets, own, key):
    records = records_of(found["json"].decode())
    for pid, said in peers.said.items():
        same(dict(sent_by(records, pid) - said + (said - sent_by(records, pid))), {}, f"{pid}: what differs from what it sent")
    check(re.fullmatch("[0-9a-f]{64}", key), "the key's file holds no key")
    searched = {**as_bytes(secrets), "fingerprint key": key.encode(), "fingerprint key's bytes": bytes.fromhex(key)}
    for name, data in found.items():
        check(data or name in ("standard output",), f"{name} is empty")
        same(found_in(data, searched), [], f"secrets in {name}")
        # The receivers are told their own URLs, and their passwords; nobody is told the signing key.
        theirs = {"signing": own["signing"]} if name in ("alertmanager", "webhook") else own
        same(found_in(data, as_bytes(theirs)), [], f"configured secrets in {name}")


ROWS = [secrets_stay]
