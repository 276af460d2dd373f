#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Maps programs and the TLS libraries that they load as if it ran them, says "ready", and stays: hold.py FILE..."""
import mmap
import signal
import ssl  # noqa: F401: maps the library that Python peers load
import subprocess
import sys


def libraries(program):
    """Those that the loader would map beside @program; none of what is linked statically."""
    told = subprocess.run(["/lib64/ld-linux-x86-64.so.2", "--list", program], capture_output=True, text=True, check=False).stdout
    return [word for line in told.splitlines() if "libssl" in line or "libgnutls" in line for word in line.split() if word.startswith("/")]


def hold(path):
    with open(path, "rb") as f:
        return mmap.mmap(f.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=mmap.PROT_READ | mmap.PROT_EXEC)


def main():
    paths = {path for program in sys.argv[1:] for path in [program, *libraries(program)]}
    held = [hold(path) for path in sorted(paths)]
    print("ready", len(held), flush=True)
    signal.pause()


if __name__ == "__main__":
    main()
