# SPDX-License-Identifier: Apache-2.0
"""A server over stdio that starts quickly, for a relay that starts one for each request."""
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "python"))
from ledger import Ledger  # noqa: E402

TOOLS = ("echo", "fail", "wait")


def call(params):
    name, args = params["name"], params["arguments"]
    if name not in TOOLS:
        return {"error": {"code": -32602, "message": f"Unknown tool: {name}"}}
    time.sleep(args.get("ms", 0) / 1000)
    return {"result": {"content": [{"type": "text", "text": name}], "isError": name == "fail"}}


def answer(m):
    if m["method"] == "tools/call":
        return call(m["params"])
    if m["method"] == "initialize":
        return {"result": {"protocolVersion": m["params"]["protocolVersion"], "capabilities": {"tools": {}},
                           "serverInfo": {"name": "quick", "version": "1"}}}
    return {"result": {"tools": [{"name": name, "inputSchema": {"type": "object"}} for name in TOOLS]}}


def main():
    ledger = Ledger("server")
    for line in sys.stdin:
        ledger.into(line)
        m = json.loads(line)
        if "id" in m and "method" in m:
            text = json.dumps({"jsonrpc": "2.0", "id": m["id"], **answer(m)})
            ledger.out(text)
            print(text, flush=True)


if __name__ == "__main__":
    main()
