# SPDX-License-Identifier: Apache-2.0
"""A server that tells the truth about itself.

server.py --sdk mcp1|mcp2|fastmcp --transport stdio|http|sse [--port N]"""
import importlib
import os
import signal

import anyio

import options
import tap


def serve_http1(app, port):
    import uvicorn
    uvicorn.run(app, host=BIND, port=port, ssl_certfile=CERT, ssl_keyfile=KEY, log_level="warning",
                timeout_graceful_shutdown=1, timeout_keep_alive=60)


async def serve_http2(app, port):
    from hypercorn.asyncio import serve
    from hypercorn.config import Config
    config = Config()
    config.bind, config.loglevel, config.graceful_timeout = f"{BIND}:{port}", "WARNING", 1
    config.certfile, config.keyfile = CERT, KEY
    with anyio.open_signal_receiver(signal.SIGTERM) as signals:
        await serve(app, config, shutdown_trigger=lambda: anext(signals))


BIND, CERT, KEY = os.environ.get("BIND", "127.0.0.1"), os.environ.get("TLS_CERT"), os.environ.get("TLS_KEY")


def main():
    chosen = options.parse()
    sdk = importlib.import_module(f"sdk_{chosen.sdk}")
    if chosen.transport == "stdio":
        tap.tap_stdio()
        anyio.run(sdk.serve_stdio)
    else:
        app = tap.tap_asgi(sdk.app(chosen.transport))
        if os.environ.get("HTTP_VERSION") == "2":
            anyio.run(serve_http2, app, chosen.port)
        else:
            serve_http1(app, chosen.port)
    tap.finish()


if __name__ == "__main__":
    main()
