#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Programs of Go's releases, with symbols and stripped, over HTTPS: every call of both ends exactly, HTTP/1.1 and 2.

    tests/e2e/tls/goversions.py [--all] [--agent FILE]      --all: each release; else the oldest that is promised

The releases come as Go modules, by the client of their registry, into build/peers/go/releases. A line per row, then
"N passed, N failed"; RESULTS as everywhere."""
import argparse
import os
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import cells  # noqa: E402
import procs  # noqa: E402
import run  # noqa: E402

OUT = os.path.join(cells.PEERS, "go", "releases")
SOURCE = os.path.join(os.path.dirname(HERE), "go", "versions")
RELEASES = ["1.18.10", "1.20.14", "1.21.13", "1.22.12", "1.23.12", "1.24.13", "1.25.14"]
PROMISED = ["1.20.14"]
KINDS = {"symbols": [], "stripped": ["-ldflags", "-s -w"]}


def built(release, kind):
    """The program; built where it is not there, or its source is newer."""
    path = os.path.join(OUT, release, kind)
    source = max(os.path.getmtime(os.path.join(SOURCE, name)) for name in os.listdir(SOURCE))
    if not os.path.exists(path) or os.path.getmtime(path) < source:
        env = {**os.environ, "GOTOOLCHAIN": "go" + release, "CGO_ENABLED": "0"}
        subprocess.run(["go", "build", "-trimpath", *KINDS[kind], "-o", path, "."], cwd=SOURCE, env=env, check=True)
    return path


def rows(release):
    programs = {}
    for kind in KINDS:
        path = built(release, kind)
        row = {"client": [path, "client", "{url}"], "server": [path, "server", "{port}"], "tls": "go"}
        programs[f"go{release}-{kind}"] = cells.Program(row, SOURCE)
    names = list(programs)
    for client, server in (names, names[::-1]):
        for http in ("1.1", "2"):
            yield cells.Cell({"client": client, "server": server, "transport": "http", "tls": True, "http": http}, programs)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--agent", default=os.path.join(cells.ROOT, "build", "mcpvigil"))
    options = parser.parse_args()
    procs.adopt_orphans()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for release in RELEASES if options.all else PROMISED:
        if not shutil.which("go"):
            print(f"skip go{release}: no Go toolchain, which fetches it")
            count["skipped"] += 1
            continue
        try:
            cases = list(rows(release))
        except subprocess.CalledProcessError as e:
            print(f"FAIL go{release}: {e}")
            count["failed"] += 1
            continue
        for cell in cases:
            count[run.report(cell, os.path.abspath(options.agent))] += 1
    print(f"{count['passed']} passed, {count['failed']} failed" + (f", {count['skipped']} skipped" if count["skipped"] else ""))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if count["failed"] else 0


if __name__ == "__main__":
    sys.exit(main())
