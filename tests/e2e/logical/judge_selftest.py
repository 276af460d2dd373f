#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Shows that judge.py finds nothing in a true trace, and each of many falsehoods."""
import copy
import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from judge import judge, judge_relay  # noqa: E402

CLIENT, SERVER, RELAY = 10, 20, 30
ENDS = {"client": {"pid": CLIENT}, "server": {"pid": SERVER}}


def asked(ident, outcome="ok", key="k", method="tools/call", **more):
    kind = "error" if outcome == "rpc_error" else "result"
    for peer, out in (("client", "out"), ("server", "in")):
        pid = CLIENT if peer == "client" else SERVER
        back = "in" if out == "out" else "out"
        yield {"t": "msg", "peer": peer, "pid": pid, "dir": out, "kind": "request", "id": ident, "method": method, "bytes": 9}
        yield {"t": "msg", "peer": peer, "pid": pid, "dir": back, "kind": kind, "id": ident, "bytes": 8}
    line = {"t": "call", "peer": "client", "pid": CLIENT, "id": ident, "method": method, "outcome": outcome, "dur_ns": 100}
    if method == "tools/call":
        line.update(tool="quiz", key=key)
    yield {**line, **more}


def seen(ident, outcome="ok", method="tools/call", **more):
    tool = {"tool": "quiz"} if method == "tools/call" else {}
    return {"kind": "call", "id": ident, "from": "client", "method": method, **tool, "outcome": outcome, "request_bytes": 9,
            "response_bytes": 8, "duration_ns": 50, "session": "s1", "start": f"t{ident}", "args_fp": "aa", **ENDS, **more}


def whole(name, by, outcome, **more):
    return {"kind": "logical", "logical": name, "joined_by": by, "method": "tools/call", "tool": "quiz", "outcome": outcome,
            "session": "s1", "args_fp": "aa", **ENDS, **more}


def user(key, by, outcome, **more):
    return {"t": "logical", "pid": CLIENT, "tool": "quiz", "key": key, "by": by, "outcome": outcome, "dur_ns": 900, **more}


TRUTH = [
    *asked(1, key="a"), *asked(2, "tool_error", key="a"), user("a", "request_state", "tool_error", least_ns=200),
    *asked(3, key="b"), *asked(4, method="tasks/get", task="T"), user("b", "task", "ok", task="T"),
    *asked(5, key="c"), user("c", "request_state", "open"),
    *asked(6, "rpc_error", key="d"), *asked(7, key="d"), *asked(8, key="e", sent=2), user("e", "request_state", "ok"),
]
TRACE = [
    seen(1, logical="l1", part="input"), seen(2, "tool_error", logical="l1", part="last"),
    whole("l1", "request_state", "tool_error", requests=2, duration_ns=400, start="t1"),
    seen(3, logical="l2", part="task"), seen(4, method="tasks/get", logical="l2", part="poll"),
    whole("l2", "task", "ok", requests=2, polls=1, duration_ns=400, start="t3"),
    seen(5, logical="l3", part="input"), whole("l3", "request_state", "unanswered", requests=1, start="t5"),
    seen(6, "rpc_error"), seen(7, attempt=2), seen(8, request_seen=2),
]
# Of the record at that place: a field and a false value, or none: the record is missing.
LIES = [
    (0, "logical", "l3"), (0, "part", "last"), (1, "part", "input"), (1, "logical", None), (2, None, None),
    (2, "outcome", "ok"), (2, "requests", 3), (2, "duration_ns", 250), (2, "duration_ns", 901), (2, "duration_ns", None),
    (2, "joined_by", "task"), (2, "start", "t2"), (2, "polls", 1), (3, "part", "input"), (4, "part", "task"),
    (4, "logical", None), (4, None, None), (5, "polls", 2), (5, "outcome", "tool_error"), (7, "duration_ns", 5),
    (7, "outcome", "ok"), (7, None, None), (8, "attempt", 2), (9, "attempt", None), (9, "attempt", 3),
    (9, "logical", "l4"), (10, "request_seen", None), (10, "hops", 1), (10, "logical", "l1"), (8, "outcome", "ok"),
]
MORE = [whole("l9", "task", "ok"), seen(8), seen(9)]

RELAY_TRUTH = [line for n in (1, 2) for line in asked(n, key=f"r{n}")]
RELAY_TRACE = [seen(n, hops=1, request_seen=2, server={"pid": RELAY}) for n in (1, 2)]
INNER = {"client": {"pid": RELAY}, "server": {"pid": SERVER}}
RELAY_LIES = [
    RELAY_TRACE[:1], [*RELAY_TRACE, seen(1, **INNER)], [{**RELAY_TRACE[0], "hops": 2}, RELAY_TRACE[1]],
    [{**RELAY_TRACE[0], "request_seen": 1}, RELAY_TRACE[1]], [*RELAY_TRACE, RELAY_TRACE[1]],
    [seen(1, server={"pid": RELAY}), seen(1, **INNER), RELAY_TRACE[1]],
]


def told(trace):
    return list(judge(TRUTH, [{**r, "seq": n} for n, r in enumerate(trace, 1)], None, {}))


def relayed(trace, truth=None):
    return list(judge_relay(truth or RELAY_TRUTH, trace, [RELAY], 0))


def lie(place, field, value):
    trace = copy.deepcopy(TRACE)
    if field is None:
        del trace[place]
    elif value is None:
        del trace[place][field]
    else:
        trace[place][field] = value
    return trace


def main():
    assert told(TRACE) == [], told(TRACE)
    for one in LIES:
        assert told(lie(*one)), f"not found: {one}"
    for record in MORE:
        assert told([*TRACE, record]), f"not found: {record}"
    assert relayed(RELAY_TRACE) == [], relayed(RELAY_TRACE)
    for trace in RELAY_LIES:
        assert relayed(trace), f"not found: {trace}"
    # Where it is in doubt: apart is right, too, but nothing may be lost.
    equal = [{**line, "key": "equal"} if "key" in line else line for line in RELAY_TRUTH]
    assert relayed(RELAY_LIES[-1], equal) == []
    assert relayed(RELAY_LIES[0], equal) and relayed(RELAY_LIES[1], equal)
    print(f"judge: {len(LIES) + len(MORE) + len(RELAY_LIES)} falsehoods found")


if __name__ == "__main__":
    main()
