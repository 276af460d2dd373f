#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""`mcpvigil run` with real peers, end to end: run.py [--agent FILE] [--list] [ROW...]

Needs root. RESULTS: a file that gets a line "P F S"."""
import argparse
import os
import shutil
import sys
import tempfile
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.join(ROOT, "tests", "e2e"))
sys.dont_write_bytecode = True
import procs  # noqa: E402
import alerts  # noqa: E402
import control  # noqa: E402
import flight  # noqa: E402
import hardening  # noqa: E402
import reload  # noqa: E402
import secrets_kept  # noqa: E402

ROWS = {row.__name__: row for part in (secrets_kept, reload, control, flight, alerts, hardening) for row in part.ROWS}


class Env:
    """What a row gets: the agent's path, and a folder of its own that only root can write."""

    def __init__(self, options):
        self.agent, self.seconds, self.keep, self.folder = os.path.abspath(options.agent), options.seconds, options.keep, None


def run(name, env):
    """0: passed, 1: failed"""
    env.folder, begin, wrong = tempfile.mkdtemp(prefix="daemon."), time.monotonic(), None
    try:
        ROWS[name](env)
    except (AssertionError, procs.Trouble) as e:
        wrong = str(e) or traceback.format_exc()
    except Exception:  # the other rows go on
        wrong = traceback.format_exc()
    finally:
        procs.reap()
        if env.keep:
            print(env.folder)
        else:
            shutil.rmtree(env.folder, ignore_errors=True)
    print(f"{'FAIL' if wrong else 'ok  '} {name}  {time.monotonic() - begin:.1f} s")
    if wrong:
        print("".join(f"       {line[:400]}\n" for line in wrong.splitlines()), end="")
    sys.stdout.flush()
    return int(wrong is not None)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("--seconds", type=int, default=60, help="how long the row `endurance' takes")
    parser.add_argument("--keep", action="store_true", help="the rows' folders, and name them")
    parser.add_argument("--list", action="store_true", help="names of the rows")
    parser.add_argument("rows", nargs="*", help="names; default all")
    options = parser.parse_args()
    if options.list:
        print("\n".join(ROWS))
        return 0
    unknown = [name for name in options.rows if name not in ROWS]
    if unknown:
        parser.error(f"no such row: {', '.join(unknown)}")
    procs.adopt_orphans()
    env, counts = Env(options), [0, 0]
    for name in options.rows or ROWS:
        counts[run(name, env)] += 1
    print(f"{counts[0]} passed, {counts[1]} failed")
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*counts, 0, file=f)
    return 1 if counts[1] else 0


if __name__ == "__main__":
    sys.exit(main())
