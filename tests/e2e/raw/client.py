#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Raw clients, one play a cell: client.py PLAY CHANNEL TMP -- SERVER... The truth is in $TRUTH."""
import ctypes
import json
import os
import subprocess
import sys
import threading
import time

from session import Session, Silent, compact, text, tool

HERE = os.path.dirname(os.path.abspath(__file__))


def plain(server, channel, _tmp):
    """The usual, in whatever way the server writes."""
    s = Session(server, channel)
    s.hello()
    s.ask(text(1, "ping"))
    s.ask(text(2, "tools/list"))
    s.ask(tool(3, "echo", text="hé €😀 \u2028 \\ \"quoted\""))
    s.ask(tool(4, "fail"))
    s.ask(text(5, "no/such"))
    s.ask(tool(6, "echo", text="y" * 3_000))
    s.close()


def large(server, channel, _tmp):
    """400 KB of argument and 5 MB of result, each in one blocking write."""
    s = Session(server, channel)
    s.hello()
    s.ask(tool(1, "echo", text="y" * 400_000))
    s.ask(tool(2, "blob", size=5_000_000))
    s.ask(tool(3, "echo", text="after"))
    s.close()


def sessions(server, channel, _tmp):
    """50 sessions at once, all with the same ids."""
    def one():
        s = Session(server, channel)
        s.hello()
        for n in range(1, 9):
            s.ask(tool(n, "echo", text="t" * n))
        s.close()

    threads = [threading.Thread(target=one) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def many(server, channel, _tmp):
    """Requests without waiting, by two threads here; the answers come from several threads, in any order."""
    s = Session(server, channel)
    s.hello()

    def send(first):
        for n in range(first, first + 150):
            s.send(tool(n, "echo", text="t" * (n % 300)))

    threads = [threading.Thread(target=send, args=(first,)) for first in (1, 1001)]
    for thread in threads:
        thread.start()
    for _ in range(300):
        s.receive()
    for thread in threads:
        thread.join()
    s.close()


def odd(server, channel, _tmp):
    """String ids beside equal numbers, id last, white space, CRLF, escapes, empty lines."""
    s = Session(server, channel)
    s.hello("start")
    s.send(tool(1, "echo", text="number"))
    s.send(tool("1", "echo", text="string"))
    s.receive(), s.receive()
    last = json.loads(tool("x", "echo", text="\u0000\u001b[31m\u202e"))
    s.ask(json.dumps({k: last[k] for k in ("params", "method", "jsonrpc", "id")}), "\r\n")
    s.write(b"\n \t\n")
    s.ask("{ \"method\" :\t\"ping\" , \"id\" : 7 ,  \"jsonrpc\":\"2.0\" }", "  \r\n")
    s.ask(text("\u00e9\"\\", "ping"))
    s.ask(text(2**53, "ping"))
    s.ask(text(-1, "ping"))
    s.close()


def batch(server, channel, _tmp):
    """A batch of requests and a notification, answered by a batch."""
    s = Session(server, channel)
    s.hello()
    for n in (10, 20):
        texts = [compact(json.loads(t)) for t in (
            tool(n, "echo", text="a"), text(None, "notifications/roots/list_changed"), tool(str(n), "fail"))]
        for t in texts:
            s.ledger.out(t)
        s.write(("[" + ",".join(texts) + "]\n").encode())
        s.receive()
    s.close()


def mute(server, channel, _tmp):
    """One request is never answered, the next is."""
    s = Session(server, channel)
    s.hello()
    s.send(tool(1, "mute"))
    s.ask(tool(2, "echo", text="still here"))
    s.close()


def killed(server, channel, _tmp):
    """The server dies in the middle of a call."""
    s = Session(server, channel)
    s.hello()
    s.ask(tool(1, "echo", text="last words"))
    s.ask(tool(2, "dying" if server[-1] == "half" else "die"))
    s.close()


def wrapped(server, channel, _tmp):
    """A shell between client and server holds the same descriptors."""
    words = ["sh", "-c", '"$@"; exit 0', "sh", *server]
    s = Session(words, channel, known=False)
    s.hello()
    for n in range(1, 6):
        s.ask(tool(n, "echo", text="x"))
    s.close()


def early_and_late(server, channel, tmp):
    """Five calls that nobody sees, then five that the agent sees."""
    truth = {"TRUTH": ""}
    s = Session(server, channel, env=truth)
    ledger, s.ledger = s.ledger, Silent()
    s.hello()
    for n in range(1, 6):
        s.ask(tool(n, "echo", text="early"))
    open(os.path.join(tmp, "early"), "w", encoding="ascii").close()
    while not os.path.exists(os.path.join(tmp, "go")):
        time.sleep(0.01)
    s.ledger = ledger
    for n in range(6, 11):
        s.ask(tool(n, "echo", text="late"))
    s.close()


def beside_acp(server, channel, _tmp):
    """An editor and its agent speak ACP, which is JSON-RPC over stdio too, beside an MCP session."""
    with subprocess.Popen([sys.executable, os.path.join(HERE, "acp.py")]) as acp:
        plain(server, channel, None)
        if acp.wait(20) != 0:
            raise RuntimeError("the ACP pair failed")


def flip(server, channel, _tmp):
    """Another thread changes the buffer while it is written: only the reader knows what it got."""
    libc = ctypes.CDLL(None, use_errno=True)
    s = Session(server, channel)
    s.hello()
    stop, mixed = threading.Event(), 0
    for n in range(1, 6):
        message = tool(n, "echo", text="A" * 300_000)
        buffer = ctypes.create_string_buffer((message + "\n").encode())
        first = ctypes.addressof(buffer) + message.index("AAAA")
        stop.clear()

        def change():
            while not stop.is_set():
                for byte in b"BA":
                    libc.memset(ctypes.c_void_p(first), byte, 300_000)

        s.ledger.out(message)
        thread = threading.Thread(target=change)
        thread.start()
        done, size = 0, len(message) + 1
        while done < size:
            done += libc.write(s.to, ctypes.byref(buffer, done), ctypes.c_size_t(size - done))
        stop.set()
        thread.join()
        mixed += s.got(n, message) not in ("A" * 300_000, "B" * 300_000)
    s.close()
    if not mixed:
        raise RuntimeError("the buffer never changed during a write")


PLAYS = {"plain": plain, "large": large, "sessions": sessions, "many": many, "odd": odd, "batch": batch, "mute": mute,
         "killed": killed, "wrapped": wrapped, "late": early_and_late, "acp": beside_acp, "flip": flip}


def main():
    play, channel, tmp = sys.argv[1:4]
    PLAYS[play](sys.argv[5:], channel, tmp)


if __name__ == "__main__":
    main()
