#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes put on and taken off a library (probe/attach.c, lease.c), without the rest of the agent: its callers' results, what
is left behind, files that are not what was analysed, a library overwritten while it is in use. With both kinds of uprobes.

    tests/e2e/tls/attach.py [--program FILE] [ROW...]      as root; ROUNDS: of attaching and detaching (200)
    tests/e2e/tls/attach.py [--program FILE] --time FILE   how long that takes, for the OpenSSL functions of FILE

A line per row, then "N passed, N failed"; RESULTS as everywhere."""
import argparse
import json
import mmap
import os
import re
import shutil
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
sys.path.insert(0, HERE)
sys.dont_write_bytecode = True
from probed import alive, held, mappings, probes  # noqa: E402

OUT = os.path.join(ROOT, "build", "tls-attach")
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes"]
KINDS = ("multi", "perf")
# enum tls_func
FUNCTIONS = {"SSL_read": 1, "SSL_write": 2, "SSL_read_ex": 3, "SSL_write_ex": 4, "SSL_write_ex2": 5, "SSL_new": 6, "SSL_free": 7}
CALLED = {name.replace("SSL", "called"): fn for name, fn in FUNCTIONS.items() if name != "SSL_write_ex2"}
# Programs attached to the library below, in this order: no call is followed whose end is not seen, and no connection is taken
# for a new one whose bytes are not. Perf events are no links.
ORDER = {"multi": ["ssl_out_new", "ssl_free_in", "ssl_read_in", "ssl_write_in", "ssl_read_ex_in", "ssl_write_ex_in", "ssl_new_out"],
         "perf": []}


class Trouble(Exception):
    pass


def out(name):
    return os.path.join(OUT, name)


def build():
    shutil.rmtree(OUT, ignore_errors=True)
    os.makedirs(OUT)
    subprocess.run(["gcc", *FLAGS, "-shared", "-fPIC", "-Wl,-Bsymbolic", os.path.join(HERE, "called.c"), "-o", out("libcalled.so")], check=True)
    subprocess.run(["gcc", *FLAGS, os.path.join(HERE, "caller.c"), "-L", OUT, "-lcalled", "-pthread", "-Wl,-rpath,$ORIGIN", "-o", out("caller")],
                   check=True)


def offsets(path, names):
    """{name: file offset} of those functions that a file exports."""
    def readelf(*options):
        return subprocess.run(["readelf", *options, path], capture_output=True, text=True, check=True).stdout
    loads = [[int(x, 16) for x in m.groups()] for m in
             re.finditer(r"^\s*LOAD\s+0x(\w+)\s+0x(\w+)\s+0x\w+\s+0x(\w+)", readelf("-lW"), re.M)]
    found = {}
    for m in re.finditer(r"^\s*\d+: (\w+)\s+\d+ FUNC\s+\S+\s+\S+\s+\d+ (\w+)", readelf("-W", "--dyn-syms"), re.M):
        at, name = int(m[1], 16), m[2]
        for offset, address, size in loads:
            if name in names and address <= at < address + size:
                found[name] = at - address + offset
    return found


def points(path, names):
    return [f"{names[name]}:{at}" for name, at in offsets(path, names).items()]


class Proc:
    """A program that is told things on its input and answers in lines."""
    def __init__(self, *words, env=None):
        self.proc = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.pid = self.proc.pid

    def line(self):
        return self.proc.stdout.readline().rstrip("\n")

    def expect(self, want):
        got = self.line()
        if got != want:
            raise Trouble(f"{os.path.basename(self.proc.args[0])}: {got!r}, not {want!r}")

    def go(self):
        self.proc.stdin.write("\n")
        self.proc.stdin.flush()

    def end(self):
        return self.proc.communicate(timeout=60)[0]

    def kill(self):
        self.proc.kill()
        self.proc.communicate()


class Stage:
    def __init__(self, program, kind):
        self.program, self.env, self.kind, self.procs, self.note = program, {"MCPVIGIL_UPROBES": kind}, kind, [], ""
        self.folder = out(kind)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.library, self.caller = os.path.join(self.folder, "libcalled.so"), os.path.join(self.folder, "caller")
        for path in (self.library, self.caller):
            shutil.copy(out(os.path.basename(path)), path)
        self.places = sorted(offsets(self.library, CALLED).values())

    def start(self, *words):
        self.procs.append(Proc(*words, env=self.env))
        return self.procs[-1]

    def attach(self, *mode):
        return self.start(self.program, *mode, self.library, *points(self.library, CALLED))

    def calls(self):
        victim = self.start(self.caller)
        victim.expect("ready")
        return victim

    def judge(self, victim):
        said = json.loads(victim.end())
        self.note += f"{said['calls']} calls "
        if victim.proc.returncode or said["wrong"] or not said["calls"]:
            yield f"caller: {said}, ended with {victim.proc.returncode}"

    def probed(self, victim):
        return probes(victim.pid, "libcalled").get(self.library, [])

    def close(self):
        for proc in self.procs:
            if proc.proc.poll() is None:
                proc.kill()


def bpftool(*words):
    return json.loads(subprocess.run(["bpftool", "-j", *words], capture_output=True, text=True, check=False,
                                     env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}).stdout)


def attached(proc):
    """Programs that the process has attached to files, in the order in which it did."""
    ids = sorted(number for kind, number in held(proc.pid)[0] if kind == "link")
    progs = [bpftool("link", "show", "id", str(i))["prog_id"] for i in ids]
    names = [bpftool("prog", "show", "id", str(i)) for i in progs]
    return [p["name"] for p in names if p["type"] == "kprobe"]


def right(stage):
    """On and off many times while the functions are called: no result changes, nothing stays."""
    rounds = int(os.environ.get("ROUNDS", "200"))
    if stage.kind == "perf":
        rounds = max(rounds // 5, 1)  # a second each, in which the kernel waits
    victim = stage.calls()
    cycle = stage.attach("cycle", str(rounds))
    said = json.loads(cycle.line())
    stage.note = f"{rounds} rounds, attach {said['attach_ms'][0]} ms, detach {said['detach_ms'][0]} ms, "
    if said["fds"]:
        yield f"{said['fds']} descriptors left"
    if attached(cycle):
        yield f"links left: {attached(cycle)}"
    if stage.probed(victim):
        yield f"probes left at {stage.probed(victim)}"
    cycle.end()
    yield from stage.judge(victim)


def placed(stage):
    """Where they should be and nowhere else, and none when they are taken off; the process that maps the file later has them too."""
    victim = stage.calls()
    hold = stage.attach("hold")
    hold.expect(f"attached {len(CALLED)}")
    late = stage.calls()
    for proc in (victim, late):
        if stage.probed(proc) != stage.places:
            yield f"probes at {stage.probed(proc)}, not at {stage.places}"
    if attached(hold) != ORDER[stage.kind]:
        yield f"links: {attached(hold)}"
    hold.go()
    hold.expect("detached")
    for proc in (victim, late):
        if stage.probed(proc):
            yield f"probes left at {stage.probed(proc)}"
    hold.end()
    yield from stage.judge(victim)
    yield from stage.judge(late)


def killed(stage):
    """SIGKILL leaves nothing attached."""
    victim = stage.calls()
    hold = stage.attach("hold")
    hold.expect(f"attached {len(CALLED)}")
    objects = held(hold.pid)[0]
    if stage.probed(victim) != stage.places or not objects:
        yield "not attached"
    hold.kill()
    if stage.probed(victim):
        yield f"probes left at {stage.probed(victim)}"
    left = [o for o in objects if o[0] == "link" and alive(*o)]
    if left:
        yield f"links left: {left}"
    yield from stage.judge(victim)


def stale(stage):
    """Not the bytes that were analysed: refused, nothing attached."""
    victim = stage.calls()
    attach = stage.attach("stale")
    for what in ("hash", "bytes", "offset", "function"):
        said = attach.line()
        if said != "ESTALE":
            yield f"{what}: {said}"
    if attached(attach) or stage.probed(victim):
        yield "something is attached"
    attach.end()
    yield from stage.judge(victim)


def partial(stage):
    """One of the places cannot be probed: none is."""
    at = offsets(stage.library, CALLED)["called_free"]  # its program comes when others are attached
    with open(stage.library, "r+b") as f:
        f.seek(at)
        f.write(b"\xcc")
    with open(stage.library, "rb") as f, mmap.mmap(f.fileno(), 0, mmap.MAP_PRIVATE, mmap.PROT_READ | mmap.PROT_EXEC):
        attach = stage.attach("hold")
        said = attach.line()
        if said.startswith("attached") or not said:
            yield f"the kernel takes it: {said!r}"
        if probes(os.getpid(), "libcalled"):
            yield f"probes left at {probes(os.getpid(), 'libcalled')}"
        attach.end()
    stage.note = said


def in_memory(victim, path, offset):
    """The byte of the process's code that comes from @offset of the file."""
    for start, end, begin, mapped in mappings(victim.pid):
        if mapped == path and begin <= offset < begin + end - start:
            with open(f"/proc/{victim.pid}/mem", "rb", 0) as mem:
                return os.pread(mem.fileno(), 1, start + offset - begin)[0]
    raise Trouble(f"{path} is not mapped")


def overwritten(stage):
    """Somebody writes to a library in use: he waits until no probe is left in it, and then writes."""
    victim = stage.calls()
    lease = stage.attach("lease")
    lease.expect(f"attached {len(CALLED)}")
    if stage.probed(victim) != stage.places:
        yield "not attached"
    opened = threading.Event()

    def write():
        with open(stage.library, "r+b", 0) as f:
            opened.set()
            os.pwrite(f.fileno(), b"\x90", padding)

    with open(stage.library, "rb") as f:
        text = f.read()
    # Between two functions, on the page on which they are.
    padding = next(at for at in range(stage.places[0], len(text)) if text[at - 1] == 0xc3 and text[at] != 0x90 and
                   text[at] in (0x0f, 0x66))
    writer = threading.Thread(target=write)
    writer.start()
    lease.expect("detached")
    if opened.wait(0.1):
        yield "the writer did not wait"
    if stage.probed(victim):
        yield f"the writer is next, and probes are left at {stage.probed(victim)}"
    lease.go()
    writer.join(30)
    if not opened.is_set():
        yield "the writer still waits"
    # The kernel gives a page that was probed back to the file where that is easy, and else leaves a copy of it in the process.
    if in_memory(victim, stage.library, padding) not in (0x90, text[padding]):
        yield "the process sees neither what was nor what is"
    with open(stage.library, "rb") as f:
        if f.read() != text[:padding] + b"\x90" + text[padding + 1:]:
            yield "the file is not what was written"
    lease.end()
    yield from stage.judge(victim)


ROWS = {"right": right, "placed": placed, "killed": killed, "stale": stale, "partial": partial, "overwritten": overwritten}


def play(row, program, kind):
    stage = Stage(program, kind)
    try:
        wrong = list(ROWS[row](stage))
    except (Trouble, OSError, subprocess.SubprocessError, ValueError) as e:
        wrong = [str(e)]
    finally:
        stage.close()
    print(f"{'FAIL' if wrong else 'ok  '}  {row} {kind}: {'; '.join(wrong) or stage.note}", flush=True)
    return not wrong


def times(program, path):
    for kind in KINDS:
        cycle = Proc(program, "cycle", "50", path, *points(path, FUNCTIONS), env={"MCPVIGIL_UPROBES": kind})
        print(f"{kind}: {len(points(path, FUNCTIONS))} functions, {cycle.line()}")
        cycle.end()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--program", help="build/tests/e2e/tls/attach")
    parser.add_argument("--time", metavar="FILE")
    parser.add_argument("rows", nargs="*", metavar="ROW", help=", ".join(ROWS))
    options = parser.parse_args()
    program = options.program
    if not program:
        program = os.path.join(ROOT, "build", "tests", "e2e", "tls", "attach")
        subprocess.run(["make", "--no-print-directory", "-C", ROOT, "-j2", os.path.relpath(program, ROOT)], check=True,
                       stdout=subprocess.DEVNULL)
    if options.time:
        times(program, os.path.realpath(options.time))
        return 0
    build()
    done = [play(row, program, kind) for row in options.rows or ROWS for kind in KINDS]
    print(f"{sum(done)} passed, {len(done) - sum(done)} failed")
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            f.write(f"{sum(done)} {len(done) - sum(done)} 0\n")
    return 0 if all(done) else 1


if __name__ == "__main__":
    sys.exit(main())
