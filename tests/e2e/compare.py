# SPDX-License-Identifier: Apache-2.0
"""Compares what peers say they did (truth lines, README.md) with what the agent printed.

Every call and notification of the truth must be in the trace once, and nothing else about its processes.
A field that the truth leaves out is not compared.
"""
import json
from collections import defaultdict

ABSENT = "absent"  # in what is expected: the record must not have that field
ROUTE = ("transport", "channel", "http", "tls")  # what notifications say, too
ANSWERED = ("ok", "tool_error", "rpc_error")
FIELDS = ("client", "server", "from", "id", "method", "tool", "outcome", "request_bytes", "response_bytes")
OTHER = {"client": "server", "server": "client"}


def compare(truth, trace, server_pid=None, expect=None, unseen=False):
    """Differences, one line of text each. @server_pid: of a server that may log nothing.
    @expect: fields that every call record must have, such as transport. @unseen: nothing of it can be in the trace."""
    book = Truth([] if unseen else truth, server_pid)
    book.pids = book.pids | {line["pid"] for line in truth if unseen}
    ours = [r for r in trace if book.concerns(r)]
    diffs = list(losses(trace)) + list(numbering(trace))
    calls = [r for r in ours if r["kind"] == "call"]
    matched = match("call", book.calls(), [seen_call(r) for r in calls], diffs)
    for want, got in matched:
        diffs += check_record(want, got["record"], expect or {})
    notes = [seen_note(r) for r in ours if r["kind"] == "notification"]
    for want, got in match("notification", book.notes(), notes, diffs):
        diffs += unexpected(want, got["record"], {k: v for k, v in (expect or {}).items() if k in ROUTE}, "notification")
    return diffs


class Truth:
    def __init__(self, lines, server_pid):
        # A client that tells its silent server's requests may not know the pid.
        self.lines = [{**line, "pid": line["pid"] or server_pid} for line in lines]
        lines = self.lines
        self.hidden = []
        self.foreign = {line["pid"] for line in lines if line["t"] == "foreign"}
        self.peers = {"client": set(), "server": set()}
        for line in lines:
            if line["t"] in ("msg", "call"):
                self.peers[line["peer"]].add(line["pid"])
                if "other" in line:
                    self.peers[OTHER[line["peer"]]].add(line["other"])
        if not self.peers["server"] and server_pid:
            self.peers["server"].add(server_pid)
        self.pids = self.peers["client"] | self.peers["server"] | self.foreign

    def concerns(self, record):
        return any(record.get(side, {}).get("pid") in self.pids for side in OTHER)

    def pair(self, line):
        """(client pid, server pid); None where the truth does not tell."""
        peers = self.peers[OTHER[line["peer"]]]
        other = line.get("other", next(iter(peers)) if len(peers) == 1 else None)
        return (line["pid"], other) if line["peer"] == "client" else (other, line["pid"])

    def messages(self):
        """{(pair, sender, class, id or method): sizes, in order}: the sender's lines, where it logged any."""
        out, into = defaultdict(list), defaultdict(list)
        senders = set()
        for line in self.lines:
            if line["t"] != "msg":
                continue
            sent = line["dir"] == "out"
            sender = line["peer"] if sent else OTHER[line["peer"]]
            what = {"request": "request", "notification": "note"}.get(line["kind"], "response")
            name = line["method"] if what == "note" else json.dumps(line.get("id"))
            pair = self.pair(line)
            if sent:
                senders.add((pair, sender))
            (out if sent else into)[pair, sender, what, name].append(line.get("bytes"))
        out.update((k, v) for k, v in into.items() if k[:2] not in senders)
        return out

    def calls(self):
        sizes = self.messages()
        handlers = {h["key"]: h["dur_ns"] for h in self.lines if h["t"] == "handler" and "key" in h}
        for line in self.lines:
            if line["t"] != "call":
                continue
            pair, asker = self.pair(line), line["peer"]
            ident = line["id"] if "id" in line else self.hidden_id(line)
            name = json.dumps(ident)
            request = take(sizes, (pair, asker, "request", name))
            answer = (pair, OTHER[asker], "response", name)
            # No line for an answer that should have none: the record must not have one either.
            none = 0 if line["outcome"] in ("cancelled", "unanswered") and sizes else None
            yield {
                "client": pair[0], "server": pair[1], "from": asker, "id": ident, "method": line["method"],
                "tool": line.get("tool"), "outcome": line["outcome"], "request_bytes": request,
                "response_bytes": take(sizes, answer, none), "line": line,
                "handler_ns": handlers.get(line.get("key"), 0),
            }

    def hidden_id(self, call):
        """The id of a call whose SDK does not tell it: of the next request of that method which no line claims."""
        known = [line["id"] for line in self.lines if line["t"] == "call" and line["peer"] == call["peer"]
                 and "id" in line] + self.hidden
        for line in self.lines:
            ours = line["t"] == "msg" and line["kind"] == "request" and line["method"] == call["method"]
            if ours and (line["peer"] == call["peer"]) == (line["dir"] == "out") and line["id"] not in known:
                self.hidden.append(line["id"])
                return line["id"]
        return None

    def notes(self):
        for (pair, sender, what, name), found in self.messages().items():
            if what != "note":
                continue
            for size in found:
                yield {"client": pair[0], "server": pair[1], "from": sender, "method": name, "bytes": size}


def take(sizes, key, otherwise=None):
    return sizes[key].pop(0) if sizes.get(key) else otherwise


def seen_call(record):
    got = {k: record.get(k) for k in FIELDS if k not in OTHER}
    got["response_bytes"] = record.get("response_bytes", 0)
    return {**got, **pids(record), "record": record}


def seen_note(record):
    got = {k: record.get(k) for k in ("from", "method", "bytes")}
    return {**got, **pids(record), "record": record}


def pids(record):
    return {side: record.get(side, {}).get("pid") for side in OTHER}


def match(what, wanted, seen, diffs):
    """Joins each wanted thing with one that was seen; the rest are differences."""
    pool = defaultdict(list)
    for got in seen:
        pool[ident(got)].append(got)
    joined, missing = [], []
    for want in wanted:
        found = next((g for g in pool[ident(want)] if not unlike(want, g)), None)
        if found is None:
            missing.append(want)
            continue
        pool[ident(want)].remove(found)
        joined.append((want, found))
    for want in missing:
        near = pool[ident(want)]
        got = min(near, key=lambda g: len(unlike(want, g))) if near else None
        if got is None:
            diffs.append(f"{what} {title(want)}: not in the trace")
            continue
        near.remove(got)
        diffs.append(f"{what} {title(want)}: " + ", ".join(
            f"{k} is {want[k]!r}, trace says {got[k]!r}" for k in unlike(want, got)))
    for rest in pool.values():
        diffs += [f"{what} {title(got)}: only in the trace" for got in rest]
    return joined


def ident(thing):
    return thing["from"], thing["method"], json.dumps(thing.get("id"))


def unlike(want, got):
    """Names of the fields that differ. Types count: 1 is not "1"."""
    return [k for k in got if k != "record" and want.get(k) is not None
            and (type(want[k]) is not type(got[k]) or want[k] != got[k])
            and not (k == "response_bytes" and answered_too_late(want, got))]


def answered_too_late(want, got):
    """A call may have been given up before the answer that came in spite of its cancellation."""
    return want["outcome"] == "cancelled" and got["response_bytes"] == 0


def title(thing):
    name = thing.get("tool") or ""
    ident = f" id={json.dumps(thing['id'])}" if "id" in thing else f" ({thing['bytes']} bytes)"
    return f"{thing['client']}->{thing['server']} from {thing['from']} {thing['method']} {name}{ident}"


def check_record(want, record, expect):
    """Time, completeness and @expect of a record that is the wanted call."""
    where = f"call {title(want)}: "
    yield from unexpected(want, record, expect, "call")
    for k in ("lost_bytes", "order"):
        if k in record:
            yield f"{where}{k} is {record[k]!r}"
    if "params" in want["line"] and want["line"]["params"] != record.get("params"):
        yield f"{where}params are not those that the reader got"
    if want["outcome"] not in ANSWERED:
        return
    ns, most = record.get("duration_ns"), want["line"].get("dur_ns")
    if ns is None:
        yield f"{where}no duration_ns"
    elif most is not None and ns > most:
        yield f"{where}duration_ns {ns} is more than the asker's {most}"
    elif ns < want["handler_ns"]:
        yield f"{where}duration_ns {ns} is less than the handler's {want['handler_ns']}"


def unexpected(want, record, expect, what):
    for k, v in expect.items():
        got = ends(record) if k == "ends" else record.get(k, ABSENT)
        if got != v:
            yield f"{what} {title(want)}: {k} is {got!r}, not {v!r}"


def ends(record):
    """Which ends of a call were seen: "both", or the role of one."""
    sides = {"asker": record["from"], "answerer": OTHER[record["from"]]}
    return sides.get(record.get("view"), record.get("view"))


def check_opaque(truth, trace, roles, server=None):
    """Each process whose TLS cannot be read must be named once, with whom it speaks to, and no other process of the
    truth. @roles: of those peers; @server: address and port of the server."""
    pids = {role: {line["pid"] for line in truth if line.get("peer") == role} for role in OTHER}
    found = [r for r in trace if r.get("finding") == "opaque_tls"]
    for role in OTHER:
        for pid in sorted(pids[role]):
            peers = [r.get("evidence", {}).get("peer", "") for r in found if r.get("process", {}).get("pid") == pid]
            if len(peers) != (role in roles):
                yield f"{role} {pid}: opaque_tls {len(peers)} times"
            elif role == "client" and peers and peers[0] != server:
                yield f"client {pid}: opaque_tls names peer {peers[0]!r}, not {server!r}"


def losses(trace):
    for r in trace:
        if r["kind"] == "loss":
            yield f"loss {r.get('loss')}: {r.get('count')} {r.get('where', '')}"


def numbering(trace):
    for n, r in enumerate(trace, 1):
        if r.get("seq") != n:
            yield f"record {n} has seq {r.get('seq')}"
            return


def check_summary(summary, trace):
    """Differences between the summary object at the end and the records before it."""
    for name, kind in (("calls", "call"), ("notifications", "notification")):
        count = sum(r["kind"] == kind for r in trace)
        if summary.get(name) != count:
            yield f"summary: {name} is {summary.get(name)}, records are {count}"
    if summary.get("losses") or summary.get("lost_bytes"):
        yield f"summary: losses {summary.get('losses')}, lost_bytes {summary.get('lost_bytes')}"


def read_lines(path):
    with open(path, encoding="utf-8") as f:
        return [json.loads(line) for line in f if line.strip()]
