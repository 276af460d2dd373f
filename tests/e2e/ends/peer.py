#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A client with a stdio server that ends as told: peer.py ROW TRUTH CGROUP.

TRUTH gets one JSON object: the pids of both. CGROUP: a folder that the server moves to before its exec, or "-"."""
import json
import os
import signal
import subprocess
import sys
import threading
import time

ME = os.path.abspath(__file__)


def eat():
    held = []
    while True:
        held.append(bytearray(1 << 20))


def die_in_thread():
    threading.Thread(target=lambda: os._exit(9)).start()
    time.sleep(60)


ENDS = {
    "exit": lambda: os._exit(7),
    "kill": lambda: os.kill(os.getpid(), signal.SIGKILL),
    "abort": os.abort,
    "oom": eat,
    "thread": die_in_thread,
}


def server(row):
    if row == "start":
        sys.exit(3)
    if row == "uid":
        os.setresuid(0, 1234, 0)
    for line in sys.stdin:
        request = json.loads(line)
        result = {"content": []}
        if request["method"] == "initialize":
            result = {"protocolVersion": "2025-06-18", "capabilities": {}, "serverInfo": {"name": row, "version": "1"}}
        elif row in ENDS:
            ENDS[row]()
        print(json.dumps({"jsonrpc": "2.0", "id": request["id"], "result": result}), flush=True)


def join(folder):
    with open(os.path.join(folder, "cgroup.procs"), "w", encoding="ascii") as f:
        f.write("0")


def client(row, truth, folder):
    words = [sys.executable, ME, row]
    if row == "chain":  # sh stays: it has something to do afterwards. Once it is gone as well nobody can know it
        words = ["/bin/sh", "-c", f"{sys.executable} {ME} chain; sleep 0.5; exit 5"]
    proc = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            preexec_fn=(lambda: join(folder)) if folder != "-" else None)

    def ask(number, method, params):
        proc.stdin.write(json.dumps({"jsonrpc": "2.0", "id": number, "method": method, "params": params}).encode() + b"\n")
        proc.stdin.flush()
        return proc.stdout.readline()

    try:
        ask(0, "initialize", {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "c", "version": "1"}})
        ask(1, "tools/call", {"name": row, "arguments": {}})
        proc.stdin.close()
    except BrokenPipeError:
        pass
    with open(truth, "w", encoding="ascii") as f:
        json.dump({"client": os.getpid(), "server": proc.pid}, f)
    proc.wait()
    time.sleep(0.5)  # the end is told while this one lives


if len(sys.argv) == 2:
    server(sys.argv[1])
else:
    client(*sys.argv[1:])
