# SPDX-License-Identifier: Apache-2.0
"""One raw MCP session over stdio: bytes as we choose them, and the truth about them."""
import fcntl
import itertools
import json
import os
import socket
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from ledger import Ledger  # noqa: E402

HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "raw", "version": "1"}}


def text(ident, method, params=None):
    """A request, or a notification where @ident is None."""
    m = {"jsonrpc": "2.0"}
    if ident is not None:
        m["id"] = ident
    m["method"] = method
    if params is not None:
        m["params"] = params
    return json.dumps(m, ensure_ascii=False)


def tool(ident, name, **args):
    """A call whose key is unique: pid and id (with its type)."""
    key = f"{os.getpid()}-{next(_serial)}"
    return text(ident, "tools/call", {"name": name, "arguments": {"key": key, **args}})


_serial = itertools.count(1)


class Session:
    """A server as child. @channel: pipe; unix (two socket pairs, as Node makes them); unix1 (one for both)."""

    def __init__(self, words, channel="pipe", env=None, known=True):
        ours, theirs = CHANNELS[channel]()
        self.proc = subprocess.Popen(words, stdin=theirs[0], stdout=theirs[1], env={**os.environ, **(env or {})})
        for fd in {*theirs}:
            os.close(fd)
        self.to, self.since = ours
        self.ledger = Ledger("client", self.proc.pid if known else None)
        self.rest = b""

    def write(self, data):
        while data:
            data = data[os.write(self.to, data):]

    def send(self, message, end="\n"):
        self.ledger.out(message)
        self.write((message + end).encode())

    def line(self):
        """The next line, or None at the end of the stream."""
        parts = [self.rest]
        while b"\n" not in parts[-1]:
            chunk = os.read(self.since, 1 << 16)
            if not chunk:
                return None
            parts.append(chunk)
        whole, _, self.rest = b"".join(parts).partition(b"\n")
        return whole.decode()

    def receive(self):
        """The next message or batch; other lines are skipped. None at the end of the stream."""
        while True:
            line = self.line()
            if line is None:
                return None
            try:
                found = json.loads(line)
            except ValueError:
                continue
            if isinstance(found, (dict, list)):
                self.heard(line, found)
                return found

    def heard(self, line, found):
        """A batch of ours is written without spaces, so the texts of its messages can be made again."""
        for one in [line] if isinstance(found, dict) else [compact(m) for m in found]:
            self.ledger.into(one)

    def got(self, ident, message):
        """Receives the echo of @message: what its reader really got is the truth. Returns that text."""
        line = self.line()
        found = json.loads(line)
        params = json.loads(message)["params"]
        params["arguments"]["text"] = found["result"]["content"][0]["text"]
        self.ledger.more[ident] = {"params": params}
        self.heard(line, found)
        return params["arguments"]["text"]

    def ask(self, message, end="\n"):
        """Sends a request and waits for the next message."""
        self.send(message, end)
        return self.receive()

    def hello(self, ident=0):
        self.ask(text(ident, "initialize", HELLO))
        self.send(text(None, "notifications/initialized"))

    def close(self):
        """End of input; what still comes is heard."""
        os.close(self.to)
        if self.since != self.to:
            while self.receive() is not None:
                pass
            os.close(self.since)
        self.proc.wait(20)
        self.ledger.end()


class Silent:
    """A ledger that forgets."""

    def out(self, _text):
        pass

    into = out


def compact(m):
    return json.dumps(m, ensure_ascii=False, separators=(",", ":"))


def pipes():
    theirs_in, to = os.pipe()
    since, theirs_out = os.pipe()
    return (to, since), (theirs_in, theirs_out)


def pairs():
    a, b = (socket.socketpair() for _ in range(2))
    return (a[0].detach(), b[0].detach()), (a[1].detach(), b[1].detach())


def pair():
    ours, theirs = (s.detach() for s in socket.socketpair())
    return (ours, ours), (theirs, theirs)


def fifos():
    (a, b), (c, d) = fifo(), fifo()
    return (b, c), (a, d)


def fifo():
    """(reading, writing) end of a named pipe."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "fifo")
        os.mkfifo(path)
        reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writing = os.open(path, os.O_WRONLY)
    fcntl.fcntl(reading, fcntl.F_SETFL, 0)
    return reading, writing


CHANNELS = {"pipe": pipes, "fifo": fifos, "unix": pairs, "unix1": pair}
