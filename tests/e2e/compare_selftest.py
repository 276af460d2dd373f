#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that compare.py accepts a true trace and refuses every kind of false one."""
import copy
import os
import sys

import cells
from compare import check_summary, compare

C, S = 100, 200


def msg(peer, pid, direction, kind, ident, method=None, size=None):
    return {"t": "msg", "peer": peer, "pid": pid, "dir": direction, "kind": kind, "id": ident, "method": method,
            "bytes": size}


def truth():
    return [
        msg("client", C, "out", "request", 1, "tools/call", 90),
        msg("server", S, "in", "request", 1, "tools/call", 90),
        {"t": "handler", "peer": "server", "pid": S, "tool": "echo", "dur_ns": 50, "key": "k"},
        msg("server", S, "out", "notification", None, "notifications/progress", 70),
        msg("server", S, "out", "result", 1, size=60),
        {"t": "call", "peer": "client", "pid": C, "id": 1, "method": "tools/call", "tool": "echo", "outcome": "ok",
         "dur_ns": 500, "key": "k", "params": {"a": 1}},
        msg("client", C, "out", "request", 2, "tools/call", 91),
        {"t": "call", "peer": "client", "pid": C, "id": 2, "method": "tools/call", "tool": "slow",
         "outcome": "cancelled", "dur_ns": 500},
        msg("server", S, "out", "request", 1, "roots/list", 40),
        msg("client", C, "out", "result", 1, size=30),
        {"t": "call", "peer": "server", "pid": S, "id": 1, "method": "roots/list", "outcome": "ok", "dur_ns": 400},
        {"t": "foreign", "pid": 300},
    ]


def record(seq, kind, side, method, **more):
    return {"kind": kind, "seq": seq, "from": side, "method": method, "client": {"pid": C}, "server": {"pid": S},
            "transport": "stdio", **more}


def trace():
    return [
        record(1, "call", "client", "tools/call", id=1, tool="echo", outcome="ok", duration_ns=400, request_bytes=90,
               response_bytes=60, params={"a": 1}),
        record(2, "notification", "server", "notifications/progress", bytes=70),
        record(3, "call", "client", "tools/call", id=2, tool="slow", outcome="cancelled", request_bytes=91),
        record(4, "call", "server", "roots/list", id=1, outcome="ok", duration_ns=399, request_bytes=40,
               response_bytes=30),
        {**record(5, "call", "client", "ping", id=1, outcome="ok"), "client": {"pid": 7}, "server": {"pid": 8}},
    ]


def put(n, **fields):
    return lambda t: t[n].update(fields)


def twice(n):
    return lambda t: t.append({**copy.deepcopy(t[n]), "seq": len(t) + 1})


LIES = {
    "a call is missing": lambda t: t.pop(3) and t[3].update(seq=4),
    "a call is there twice": twice(0),
    "a notification is missing": lambda t: (t.pop(1), [r.update(seq=r["seq"] - 1) for r in t[1:]]),
    "a notification is there twice": twice(1),
    "notification bytes": put(1, bytes=71),
    "outcome": put(0, outcome="tool_error"),
    "request_bytes": put(0, request_bytes=91),
    "response_bytes": put(0, response_bytes=61),
    "a response of a cancelled call": put(2, response_bytes=61),
    "id of another type": put(0, id="1"),
    "tool": put(0, tool="echO"),
    "method": put(3, method="ping"),
    "asker": put(3, **{"from": "client"}),
    "client pid": put(0, client={"pid": 101}),
    "server unknown": lambda t: t[0].pop("server"),
    "longer than the asker says": put(0, duration_ns=501),
    "shorter than the handler": put(0, duration_ns=49),
    "no duration": lambda t: t[0].pop("duration_ns"),
    "params": put(0, params={"a": 2}),
    "lost bytes": put(0, lost_bytes=1),
    "transport": put(0, transport="http"),
    "a loss": lambda t: t.append({"kind": "loss", "seq": 6, "loss": "ring_full", "count": 1}),
    "a hole in seq": put(4, seq=6),
    "a foreign process": lambda t: t[4].update(client={"pid": 300}),
    "an orphan": lambda t: t.append(record(6, "call", "client", "ping", id=9, outcome="orphan")),
}


def rows():
    """1 where the rows are not as they should be: names are unique, CI runs few of them: of TLS 20 of the common stacks, 6 others."""
    found = cells.load()
    plain, tls = (sum(c.ci for c in found if bool(c.http) == way) for way in (False, True))
    if len({c.name for c in found}) == len(found) and plain <= 25 and tls <= 30:
        return 0
    print(f"FAIL rows: {len(found)}, with equal names, or marked ci {plain} > 25, of TLS and h2 {tls} > 30")
    return 1


def main():
    failed = 0
    expect = {"transport": "stdio"}
    if compare(truth(), trace(), expect=expect):
        print("FAIL the truth is refused:", compare(truth(), trace(), expect=expect))
        failed += 1
    for name, lie in LIES.items():
        told = trace()
        lie(told)
        if len(compare(truth(), told, expect=expect)) == 0:
            print("FAIL not noticed:", name)
            failed += 1
    good = {"calls": 4, "notifications": 1, "losses": {}, "lost_bytes": 0}
    if list(check_summary(good, trace())) or not list(check_summary({**good, "calls": 3}, trace())):
        print("FAIL summary")
        failed += 1
    failed += rows()
    passed = len(LIES) + 3 - failed
    print(f"{passed} passed, {failed} failed")
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(passed, failed, 0, file=f)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
