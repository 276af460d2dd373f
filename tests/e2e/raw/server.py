#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A raw MCP server over stdio that writes its answers in a chosen way: server.py HOW. See WAYS."""
import json
import os
import queue
import signal
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from ledger import Ledger, handled  # noqa: E402

ledger = Ledger("server")


def write(data):
    while data:
        data = data[os.write(1, data):]


def whole(answer):
    """One system call, however long: a blocking pipe takes all of it."""
    write((answer + "\n").encode())


def bytewise(answer):
    for byte in (answer + "\n").encode():
        os.write(1, bytes([byte]))


def apart(answer):
    write(answer.encode())
    time.sleep(0.002)
    os.write(1, b"\n")


def by_another_thread(answer):
    write(answer.encode())
    thread = threading.Thread(target=os.write, args=(1, b"\n"))
    thread.start()
    thread.join()


def crlf(answer):
    write((answer + "\r\n").encode())


def spaced(answer):
    """White space around, and the id last."""
    write(("  \t" + answer + " \n").encode())


def half(answer):
    """Half an answer to a call of "dying", then the end."""
    if DYING in answer:
        write(answer[: len(answer) // 2].encode())
        os.kill(os.getpid(), signal.SIGKILL)
    whole(answer)


DYING = '"text":"dying"'
WAYS = {"whole": whole, "bytewise": bytewise, "apart": apart, "thread": by_another_thread, "crlf": crlf,
        "spaced": spaced, "half": half, "banner": by_another_thread, "threads": whole}


def result(m):
    """The result for request @m, or None where there will be no answer."""
    method, params = m["method"], m.get("params") or {}
    if method == "initialize":
        return {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                "serverInfo": {"name": "raw", "version": "1"}}
    if method == "tools/list":
        return {"tools": [{"name": "echo", "inputSchema": {"type": "object"}}]}
    if method == "tools/call":
        with handled(params["name"], params["arguments"].get("key", "")):
            return TOOLS[params["name"]](params["arguments"])
    return {}


def content(s, **more):
    return {"content": [{"type": "text", "text": s}], **more}


def mute(_args):
    return None


def die(_args):
    os.kill(os.getpid(), signal.SIGKILL)


TOOLS = {
    "echo": lambda args: content(args.get("text", "")),
    "fail": lambda args: content("no luck", isError=True),
    "blob": lambda args: content("x" * args["size"]),
    "dying": lambda args: content("dying"),
    "mute": mute,
    "die": die,
}


def answer_text(m, how):
    if m["method"] == "no/such":
        body = {"error": {"code": -32601, "message": "Method not found"}}
    else:
        found = result(m)
        if found is None:
            return None
        body = {"result": found}
    head = {"jsonrpc": "2.0", "id": m["id"]}
    return json.dumps({**body, **head} if how == "spaced" else {**head, **body}, ensure_ascii=False,
                      separators=(",", ":"))


def answer(text, how, send):
    """Answers one line: a message, or a batch by a batch."""
    found = json.loads(text)
    batch = isinstance(found, list)
    for m in found if batch else [found]:
        ledger.into(json.dumps(m, ensure_ascii=False, separators=(",", ":")) if batch else text)
    texts = [t for m in (found if batch else [found]) if "id" in m and "method" in m
             for t in [answer_text(m, how)] if t is not None]
    for t in texts:
        if how != "half" or DYING not in t:
            ledger.out(t)
    if batch and texts:
        send("[" + ",".join(texts) + "]")
    elif texts:
        send(texts[0])


def serve_threads(how, send, lines):
    """Four threads that answer whatever comes, each line in one write."""
    work = queue.Queue()

    def worker():
        while True:
            line = work.get()
            if line is None:
                return
            answer(line, how, send)

    threads = [threading.Thread(target=worker) for _ in range(4)]
    for thread in threads:
        thread.start()
    for line in lines:
        work.put(line)
    for thread in threads:
        work.put(None)
    for thread in threads:
        thread.join()


def main():
    how = sys.argv[1]
    send = WAYS[how]
    if how == "banner":
        write("".join(f"[info] loading module {n:04d} {{not json}}\n" for n in range(240)).encode())
    if how == "threads":
        serve_threads(how, send, read_lines())
        return
    for line in read_lines():
        answer(line, how, send)


def read_lines():
    parts = []
    while True:
        chunk = os.read(0, 1 << 16)
        if not chunk:
            return
        *ends, rest = chunk.split(b"\n")
        for end in ends:
            line = b"".join([*parts, end]).decode().strip()
            parts = []
            if line:
                yield line
        parts.append(rest)


if __name__ == "__main__":
    main()
