# SPDX-License-Identifier: Apache-2.0
"""What a row's ledger and the agent's records say of the same calls, where one call is more than one request."""
from collections import Counter, defaultdict

from compare import compare

FAILED = ("tool_error", "rpc_error", "http_error")


def pid(record, side):
    return record.get(side, {}).get("pid")


def own(trace, pids):
    """The records of these processes, numbered anew."""
    found = [r for r in trace if {pid(r, "client"), pid(r, "server")} & (pids - {None})]
    return [{**r, "seq": n} for n, r in enumerate(found, 1)]


def pids_of(truth):
    return {line["pid"] for line in truth} | {line["other"] for line in truth if "other" in line}


def wire(truth):
    """Calls of the client, in order of their requests."""
    calls = {line["id"]: line for line in truth if line["t"] == "call" and line["peer"] == "client"}
    asked = [m["id"] for m in truth if m["t"] == "msg" and m["peer"] == "client" and m["dir"] == "out"
             and m["kind"] == "request"]
    return [calls[i] for i in dict.fromkeys(asked) if i in calls]


def judge(truth, trace, server_pid, expect):
    """Differences of a row without relays."""
    trace = own(trace, pids_of(truth) | {server_pid})
    yield from compare(truth, trace, server_pid, expect)
    records = {(pid(r, "client"), r.get("id")): r for r in trace if r["kind"] == "call" and r["from"] == "client"}
    calls = [(c, records[c["pid"], c["id"]]) for c in wire(truth) if (c["pid"], c["id"]) in records]
    yield from judge_times_sent(calls)
    yield from judge_attempts(calls)
    yield from judge_logicals(truth, calls, [r for r in trace if r["kind"] == "logical"])


def judge_times_sent(calls):
    for call, record in calls:
        want, got = call.get("sent", 1), record.get("request_seen", 1)
        if want != got:
            yield f"call {call['id']}: sent {want} times, request_seen {got}"
        if "hops" in record:
            yield f"call {call['id']}: hops {record['hops']}, no relay"


def judge_attempts(calls):
    """Calls with one key, one after the other: each after a failure is the next attempt."""
    tried = {}
    for call, record in calls:
        want = tried.get(call.get("key"), 0) + 1
        if record.get("attempt", 1) != want:
            yield f"call {call['id']} {call['outcome']}: attempt {record.get('attempt', 1)}, not {want}"
        if "key" in call:
            tried[call["key"]] = want if call["outcome"] in FAILED else 0


def judge_logicals(truth, calls, records):
    named = defaultdict(list)
    for r in records:
        named[r["logical"]].append(r)
    left = Counter(r["logical"] for _, r in calls if "logical" in r)
    for line in truth:
        if line["t"] != "logical":
            continue
        parts = [(c, r) for c, r in calls if c.get("key") == line["key"] or c.get("task", "") == line.get("task")]
        title = f"logical {line['tool']} {line['key']} {line['outcome']}"
        if len(parts) == 1 and line["outcome"] != "open":
            continue  # any name that it has is left over below
        names = {r.get("logical") for _, r in parts}
        if len(names) != 1 or None in names:
            yield f"{title}: its requests are parts of {sorted(map(str, names))}"
            continue
        name = names.pop()
        left[name] -= len(parts)
        found = named.pop(name, [])
        if len(found) != 1:
            yield f"{title}: {len(found)} records of {name}"
            continue
        for diff in [*check_parts(line, parts), *check_whole(line, parts, found[0])]:
            yield f"{title}: {diff}"
    yield from (f"{n} calls say that they are parts of {name}" for name, n in left.items() if n > 0)
    yield from (f"record of {name}, which is no logical call" for name in named)


def check_parts(line, parts):
    if line["by"] == "task":
        want = ["task"] + ["poll"] * (len(parts) - 1)
    else:
        want = ["input"] * (len(parts) - (line["outcome"] != "open")) + ["last"]
        want = want[:len(parts)]
    got = [r.get("part") for _, r in parts]
    if got != want:
        yield f"parts {got}, not {want}"


def check_whole(line, parts, record):
    opened = line["outcome"] == "open"
    want = {"joined_by": line["by"], "method": "tools/call", "tool": line["tool"],
            "outcome": "unanswered" if opened else line["outcome"], "requests": len(parts),
            "polls": sum("task" in c for c, _ in parts) or None, "session": parts[0][1]["session"],
            "start": parts[0][1]["start"], "args_fp": parts[0][1].get("args_fp")}
    for key, value in want.items():
        if record.get(key) != value:
            yield f"{key} is {record.get(key)!r}, not {value!r}"
    ns = record.get("duration_ns")
    if opened:
        if ns is not None:
            yield "it has a duration_ns, but is open"
        return
    least = line.get("least_ns", 0)
    if line["by"] != "task":
        least += sum(r["duration_ns"] for _, r in parts)
    if ns is None or not least <= ns <= line["dur_ns"]:
        yield f"duration_ns {ns} is not within {least} and {line['dur_ns']}"


def judge_relay(truth, trace, relays, between):
    """Differences of a row with relays between client and server. @relays: their process ids, from the client on;
    @between: tools/call requests that the relays passed among themselves. Calls whose key is "equal" are alike and at
    once: their hops may stay apart, but none is lost."""
    ours = [line for line in truth if line.get("peer") == "client"]
    client = ours[0]["pid"]
    served = [m for m in truth if m["t"] == "msg" and m["peer"] == "server" and m["dir"] == "in"
              and m["kind"] == "request" and m.get("method") == "tools/call"]
    trace = own(trace, pids_of(truth) | set(relays))
    mine = own(trace, {client})
    yield from compare(ours, mine, relays[0], {})
    asked = [c for c in wire(ours) if c["method"] == "tools/call"]
    tools = [r for r in trace if r["kind"] == "call" and r.get("method") == "tools/call"]
    total = len(asked) + between + len(served)
    seen = sum(1 + r.get("hops", 0) for r in tools)
    if seen != total:
        yield f"{total} requests on the wire, {seen} in {len(tools)} records"
    sure = {c["id"] for c in asked if c.get("key") != "equal"}
    for r in tools:
        hops, times = r.get("hops", 0), r.get("request_seen", 1)
        if pid(r, "client") == client and r.get("id") in sure and hops != len(relays):
            yield f"call {r.get('id')} {r.get('tool')}: hops {hops}, not {len(relays)}"
        if times != hops + 1:
            yield f"call {r.get('id')} {r.get('tool')}: request_seen {times}, hops {hops}"
