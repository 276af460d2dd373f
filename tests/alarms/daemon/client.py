#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client that does what it is told on its standard input, a line at a time, and says "done" after each:

client.py -- SERVER...

    fail N     N calls with the same arguments that fail with the same text
    work N     N calls, each with arguments and a result of its own
    burst N    N requests of a method with a long name, as fast as it goes
    hang       a call that is never answered
    die        a call in which the server is killed
    end        the end, which the end of input is too

The truth is in $TRUTH (tests/e2e/README.md)."""
import itertools
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "..", "e2e", "raw"))
from session import Session, text  # noqa: E402

THINK = 0.06  # more than the loops.round_gap of daemon.py


def call(ident, name, **args):
    return text(ident, "tools/call", {"name": name, "arguments": args})


MESSAGES = {
    "fail": lambda i: call(i, "fail", path="/etc/motd"),
    "work": lambda i: call(i, "echo", text=f"step {i * 7919}"),
    "burst": lambda i: text(i, "x/" + "long" * 200),
}


def main():
    session, ids = Session(sys.argv[sys.argv.index("--") + 1:]), itertools.count(1)
    session.hello()
    print("done", flush=True)
    for line in sys.stdin:
        word, _, n = line.strip().partition(" ")
        if word == "end":
            break
        for _ in range(int(n or 0)):
            time.sleep(THINK if word != "burst" else 0)
            i = next(ids)
            session.ask(MESSAGES[word](i))
        if word in ("hang", "die"):
            session.send(call(next(ids), "mute" if word == "hang" else "die", wait=True))
        print("done", flush=True)
    session.close()


if __name__ == "__main__":
    main()
