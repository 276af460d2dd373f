# SPDX-License-Identifier: Apache-2.0
"""The truth of one peer: messages as texts on the wire, requests with their outcome and time."""
import contextlib
import json
import os
import time

_FD = os.open(os.environ["TRUTH"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600) if os.environ.get("TRUTH") else -1


class Hush:
    """Says nothing of what comes, as long as it is on."""

    on = False


def say(line):
    if _FD >= 0 and not Hush.on:
        os.write(_FD, (json.dumps(line) + "\n").encode())


class Ledger:
    """@peer: the MCP role of this process; @other: pid of the other end, where known."""

    def __init__(self, peer, other=None):
        self.head = {"peer": peer, "pid": os.getpid()}
        if other:
            self.head["other"] = other
        self.pending = {}
        self.more = {}  # by id: fields to add to a call's line

    def out(self, text):
        """The text of one message or batch, as it is on the wire, about to be sent."""
        start = time.monotonic_ns()
        for m, size in messages(text):
            self.message("out", m, size)
            if m.get("method") == "notifications/cancelled":
                self.settle((m.get("params") or {}).get("requestId"), "cancelled")
            elif "method" in m and "id" in m:
                self.asked(m, start)

    def asked(self, m, start):
        """One that waits for its answer and goes out again (redirected, connection lost) is the same request."""
        ident = json.dumps(m["id"])
        before = self.pending.get(ident)
        if before and before[0] == m:
            more = self.more.setdefault(m["id"], {})
            more["sent"] = more.get("sent", 1) + 1
        else:
            self.pending[ident] = (m, start)

    def into(self, text):
        """... just received."""
        now = time.monotonic_ns()
        for m, size in messages(text):
            self.message("in", m, size)
            if "method" not in m:
                self.settle(m.get("id"), outcome(m), now)

    def message(self, direction, m, size):
        line = {"t": "msg", **self.head, "dir": direction, "kind": kind(m)}
        line.update((k, m[k]) for k in ("id", "method") if k in m)
        if size is not None:
            line["bytes"] = size
        say(line)

    def settle(self, ident, result, now=None):
        """The request with @ident is over."""
        m, start = self.pending.pop(json.dumps(ident), (None, 0))
        if m is None:
            return
        line = {"t": "call", **self.head, "id": ident, "method": m["method"], "outcome": result,
                "dur_ns": (now or time.monotonic_ns()) - start}
        line.update(self.more.get(ident, {}))
        params = m.get("params") or {}
        if m["method"] == "tools/call":
            line["tool"] = params["name"]
        if "key" in (params.get("arguments") or {}):
            line["key"] = params["arguments"]["key"]
        if "taskId" in params:
            line["task"] = params["taskId"]
        say(line)

    def end(self):
        """Nothing more will come."""
        for m, _ in list(self.pending.values()):
            self.settle(m["id"], "unanswered")


@contextlib.contextmanager
def handled(tool, key):
    """Around the handler of a call: says how long it took."""
    start = time.monotonic_ns()
    try:
        yield
    finally:
        say({"t": "handler", "peer": "server", "pid": os.getpid(), "tool": tool, "key": key,
             "dur_ns": time.monotonic_ns() - start})


def outcome(m):
    if "error" in m:
        return "rpc_error"
    return "tool_error" if m["result"].get("isError") is True else "ok"


def kind(m):
    if "method" in m:
        return "request" if "id" in m else "notification"
    return "error" if "error" in m else "result"


def messages(text):
    """Messages in @text with their sizes; the size of a batch's elements is not known."""
    try:
        found = json.loads(text)
    except ValueError:
        return []
    if isinstance(found, list):
        return [(m, None) for m in found]
    if not isinstance(found, dict) or "jsonrpc" not in found:
        return []
    return [(found, len(text.strip().encode()))]
