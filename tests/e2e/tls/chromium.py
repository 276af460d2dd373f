# SPDX-License-Identifier: Apache-2.0
"""Requests by fetch() in a page of headless Chromium, told what to do over its DevTools pipe. Its network process, which speaks TLS by
a stripped BoringSSL, is the client in the truth."""
import glob
import json
import os
import subprocess
import time

import cells
from ledger import Ledger

ROOT = os.path.join(cells.PEERS, "chromium")
PROGRAM = os.path.join(ROOT, "usr", "lib", "chromium", "chromium-headless-shell")
# No request but the page's own; the certificate is the tests' own; the page is nobody's, and may ask anyone.
OPTIONS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-component-update",
           "--ignore-certificate-errors", "--disable-web-security", "--remote-debugging-pipe"]
FETCH = """Promise.all(%s.map(async ([body, headers]) => {
	const got = await fetch(%s, {method: "POST", body, headers})
	return [got.status, got.headers.get("mcp-session-id"), await got.text()]
}))"""


class Pipe:
    """DevTools: JSON, each ended by a zero byte, on descriptors 3 and 4 of the browser."""

    def __init__(self, words, env):
        command, self.to = os.pipe()
        self.come, event = os.pipe()
        ends = [os.dup(fd) for fd in (command, event)]  # away from 3 and 4
        script = f"exec 3<&{ends[0]} 4>&{ends[1]} {ends[0]}<&- {ends[1]}>&-; exec \"$@\""
        self.proc = subprocess.Popen(["sh", "-c", script, "sh", *words], pass_fds=ends, env=env)
        for fd in (command, event, *ends):
            os.close(fd)
        self.rest, self.count = b"", 0

    def ask(self, method, session=None, **params):
        self.count += 1
        words = {"id": self.count, "method": method, "params": params, **({"sessionId": session} if session else {})}
        data = json.dumps(words).encode() + b"\0"
        while data:
            data = data[os.write(self.to, data):]
        while True:
            got = self.read()
            if got.get("id") == self.count:
                if "error" in got:
                    raise RuntimeError(f"{method}: {got['error']}")
                return got["result"]

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.come, 1 << 20)
            if not more:
                raise RuntimeError("the browser has ended")
            self.rest += more
        one, _, self.rest = self.rest.partition(b"\0")
        return json.loads(one)


def network(browser):
    """The pid of the process that speaks to the network for @browser."""
    for _ in range(500):
        for path in glob.glob("/proc/[0-9]*/cmdline"):
            try:
                with open(path, "rb") as f, open(path.replace("cmdline", "stat"), encoding="latin-1") as stat:
                    parent = int(stat.read().rpartition(")")[2].split()[1])
                    if parent == browser and b"network.mojom.NetworkService" in f.read():
                        return int(path.split("/")[2])
            except (OSError, ValueError):
                continue
        time.sleep(0.02)
    raise RuntimeError("Chromium has no network process")


class Chromium:
    def __init__(self, url, tmp, answer):
        self.url, self.answer = url, answer
        words = [PROGRAM, *OPTIONS, *(["--disable-http2"] if os.environ.get("HTTP_VERSION") != "2" else []),
                 "--user-data-dir=" + os.path.join(tmp, "profile"), "about:blank"]
        libraries = {os.path.dirname(path) for path in glob.glob(os.path.join(ROOT, "usr", "lib", "**", "*.so*"), recursive=True)}
        env = {**os.environ, "LD_LIBRARY_PATH": ":".join(sorted(libraries))}
        self.pipe = Pipe(words, env)
        target = self.pipe.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.pipe.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ledger = Ledger("client")
        self.ledger.head["pid"] = network(self.pipe.proc.pid)

    def send(self, message, fields):
        return self.at_once([(message, fields)])[0]

    def at_once(self, requests):
        """Over HTTP/2 on one connection, else on up to six."""
        for message, _ in requests:
            self.ledger.out(message)
        got = self.pipe.ask("Runtime.evaluate", self.session, awaitPromise=True, returnByValue=True,
                            expression=FETCH % (json.dumps(requests), json.dumps(self.url)))
        if "exceptionDetails" in got:
            raise RuntimeError(f"fetch: {got['exceptionDetails']}")
        answers = [self.answer(*one) for one in got["result"]["value"]]
        for answer, (message, _) in zip(answers, requests):
            answer.note(self.ledger, message)
        return answers

    def close(self):
        self.pipe.ask("Browser.close")
        self.pipe.proc.wait(10)
        self.ledger.end()
