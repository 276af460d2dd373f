#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""An ACP pair (editor and coding agent): JSON-RPC lines over stdio, with an `initialize` of its own. Not MCP."""
import json
import os
import subprocess
import sys

import session  # noqa: F401  (finds the ledger)
from ledger import say


def send(stream, **m):
    stream.write((json.dumps({"jsonrpc": "2.0", **m}) + "\n").encode())
    stream.flush()


def agent():
    """Answers the editor, with updates and a question of its own in between."""
    say({"t": "foreign", "pid": os.getpid()})
    out = sys.stdout.buffer
    for line in sys.stdin.buffer:
        m = json.loads(line)
        if m.get("method") == "initialize":
            send(out, id=m["id"], result={"protocolVersion": 1, "agentCapabilities": {"loadSession": False}})
        elif m.get("method") == "session/new":
            send(out, id=m["id"], result={"sessionId": "s1"})
        elif m.get("method") == "session/prompt":
            update = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": "thinking"}}
            send(out, method="session/update", params={"sessionId": "s1", "update": update})
            send(out, id=7, method="fs/read_text_file", params={"sessionId": "s1", "path": "/etc/hostname"})
            send(out, id=m["id"], result={"stopReason": "end_turn"})


def editor():
    say({"t": "foreign", "pid": os.getpid()})
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, __file__, "agent"], stdin=pipe, stdout=pipe) as proc:
        send(proc.stdin, id=0, method="initialize",
             params={"protocolVersion": 1, "clientCapabilities": {"fs": {"readTextFile": True}}})
        send(proc.stdin, id=1, method="session/new", params={"cwd": "/tmp", "mcpServers": []})
        for n in range(2, 6):
            prompt = [{"type": "text", "text": "tools/call"}]
            send(proc.stdin, id=n, method="session/prompt", params={"sessionId": "s1", "prompt": prompt})
        answers = 0
        while answers < 6:
            m = json.loads(proc.stdout.readline())
            answers += "result" in m
            if m.get("method") == "fs/read_text_file":
                send(proc.stdin, id=m["id"], result={"content": "host"})
        proc.stdin.close()


if __name__ == "__main__":
    agent() if sys.argv[1:] == ["agent"] else editor()
