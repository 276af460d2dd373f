# SPDX-License-Identifier: Apache-2.0
"""A server that tells the truth about itself.

server.py --sdk mcp1|mcp2|fastmcp --transport stdio|http|sse [--port N]"""
import importlib

import anyio

import options
import tap


def main():
    chosen = options.parse()
    sdk = importlib.import_module(f"sdk_{chosen.sdk}")
    if chosen.transport == "stdio":
        tap.tap_stdio()
        anyio.run(sdk.serve_stdio)
    else:
        import uvicorn
        app = tap.tap_asgi(sdk.app(chosen.transport))
        uvicorn.run(app, host="127.0.0.1", port=chosen.port, log_level="warning", timeout_graceful_shutdown=1)
    tap.finish()


if __name__ == "__main__":
    main()
