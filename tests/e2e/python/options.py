# SPDX-License-Identifier: Apache-2.0
"""The command line of client.py and server.py."""
import argparse
import os


def parse():
    parser = argparse.ArgumentParser()
    parser.add_argument("--sdk", choices=("mcp1", "mcp2", "fastmcp"), required=True)
    parser.add_argument("--transport", choices=("stdio", "http", "sse"), required=True)
    parser.add_argument("--era", choices=("legacy", "modern"), default="legacy")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--url")
    parser.add_argument("server", nargs="*", help="after --: the server's words, for stdio")
    options = parser.parse_args()
    options.env = dict(os.environ)
    return options
