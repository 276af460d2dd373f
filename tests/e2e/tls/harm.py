#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Probes in other people's processes must do them no harm: put on and off under load, left by an agent that was killed, and
offered files that were made to mislead, to hang and to break what reads them.

    tests/e2e/tls/harm.py [--all] [--agent FILE] [ROW...]      as root

--all: 200 agents in the row attach-detach, else 20; ROUNDS: as many.

A line per row, then "N passed, N failed"; RESULTS as everywhere."""
import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import forged  # noqa: E402
import procs  # noqa: E402
from probed import alive, family, held, holders, instructions, probes, resident, running  # noqa: E402
from stage import SWEEP, VM, Skip, Stage, build, maps, opaque, until  # noqa: E402

CYCLES = 200
# enum tls_func, by the names that resolve gives them
NUMBERS = {"SSL_read": 1, "SSL_write": 2, "SSL_read_ex": 3, "SSL_write_ex": 4, "SSL_write_ex2": 5, "SSL_new": 6, "SSL_free": 7,
           "SSL_set_fd": 8, "SSL_do_handshake": 15}
GROWTH_MAX_KB = 4096
LINGER = 1.5  # seconds: of a process that lives no longer than one, nothing is said
GONE = 60  # seconds: the kernel takes probes off one by one
SPARSE = 10 << 30
REMEMBERED = 9000  # processes
OWN = 20  # of brief lives, each that many has a library of its own
LINGERS = 40  # seconds: probes stay 15 behind the last who maps the file


def cycle(stage, file):
    """Probes on and off @file, by what the agent does that with: loading its programs takes most of an agent's life here."""
    told = json.loads(subprocess.run([stage.agent_path, "resolve", "-j", file], capture_output=True, text=True, check=True).stdout)
    points = [f"{NUMBERS[p['function']]}:{p['offset']}" for p in told["points"]]
    program = os.path.join(ROOT, "build", "tests", "e2e", "tls", "attach")
    proc = subprocess.Popen([program, "cycle", str(CYCLES), file, *points], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    stage.started.append(proc)
    return proc


def attach_detach(stage):
    """No request fails however often probes are put on and taken off."""
    subprocess.run(["make", "--no-print-directory", "-C", ROOT, "build/tests/e2e/tls/attach"], check=True, stdout=subprocess.DEVNULL)
    peers = stage.load()
    for proc in [cycle(stage, file) for file in (stage.libssl, os.path.realpath(f"/proc/{peers[-1].pid}/exe"))]:
        line = proc.stdout.readline()
        proc.communicate(timeout=60)
        if proc.returncode or not line.startswith("{"):
            raise procs.Trouble(f"{proc.args[3]}: {line.strip()}, ended with {proc.returncode}")
        said = json.loads(line)
        if said["fds"]:
            yield f"{proc.args[3]}: {said['fds']} descriptors left"
        stage.note += f"{CYCLES} times on in {said['attach_ms'][0]} and off in {said['detach_ms'][0]} ms, "
    rounds = int(os.environ.get("ROUNDS", "20"))
    for i in range(rounds):
        agent = stage.watch()
        look = peers if i % 10 == 0 or i == rounds - 1 else ()
        for peer in look:
            if not probes(peer.pid):
                yield f"round {i}: no probe in {peer.args[0]}"
        agent.proc.send_signal(signal.SIGTERM)
        if procs.wait_end(agent.proc, "agent", 20) != 0:
            yield f"round {i}: the agent ended with {agent.proc.returncode}"
        for peer in look:
            left = [path for path in probes(peer.pid) if not holders(path)]
            if left:
                yield f"round {i}: probes left in {peer.args[0]}: {left}"
    stage.note += f"{rounds} agents, "
    yield from stage.unload(peers)


def gone(pids, objects, peers):
    """Of the agent that was: nothing runs, nothing is in the kernel, nothing is attached."""
    if not until(lambda: not any(running(pid) for pid in pids), GONE):
        yield f"still running: {[pid for pid in pids if running(pid)]}"
    if not until(lambda: not any(alive(*o) for o in objects), GONE):
        yield f"still in the kernel: {[o for o in objects if alive(*o)][:5]}"
    for peer in peers:
        if not until(lambda: not probes(peer.pid), GONE):
            left = {path: holders(path) for path in probes(peer.pid)}
            yield f"probes left in {peer.args[0]}, of these processes: {left}"


def killed(stage):
    """SIGKILL, of the agent and of the process that attaches, leaves nothing attached."""
    peers = stage.load()
    for whom in ("agent", "hooks"):
        agent = stage.watch()
        pids = family(agent.proc.pid)
        objects = set().union(*(held(pid)[0] for pid in pids))
        if len(pids) < 2 or not objects or not all(probes(peer.pid) for peer in peers):
            yield f"{whom}: not attached: {len(pids)} processes, {len(objects)} objects"
        for pid in pids[:1] if whom == "agent" else pids[1:]:
            os.kill(pid, signal.SIGKILL)
        if whom == "hooks":
            yield from gone(pids[1:], (), peers)
            agent.proc.send_signal(signal.SIGTERM)
        procs.wait_end(agent.proc, "agent", 20)
        yield from gone(pids, objects, peers)
    yield from stage.unload(peers)


def misplaced(pid, path):
    """Probes in @pid's mapping of @path where no instruction begins; and how many there are."""
    found = probes(pid, os.path.basename(path)).get(path, [])
    return [hex(at) for at in found if at not in instructions(path)], len(found)


def forged_build_id(stage):
    """A library with the build-id of another is judged by its own bytes, whichever is seen first, and the genuine one is read."""
    offsets = None
    for first in ("genuine", "forged"):
        genuine, env = stage.folder_of(f"genuine.{first}", stage.libssl)
        lib, _ = stage.folder_of(f"forged.{first}", stage.libssl)
        if first == "genuine":
            holder = stage.hold(env=env)
            stage.watch()
            offsets = probes(holder.pid, "libssl").get(genuine)
            if not offsets:
                yield "the genuine library is not probed"
                return
        inside = forged.libssl(lib, genuine, offsets)
        fake = stage.map(lib)
        if first == "forged":
            stage.watch()
            holder = stage.hold(env=env)
            until(lambda: stage.probed(holder, genuine), SWEEP)
        stage.settle()
        for pid, path in ((holder.pid, genuine), (fake.pid, lib)):
            wrong, _ = misplaced(pid, path)
            if wrong:
                yield f"{first} first: probes inside instructions of {path}: {wrong[:3]}"
        stage.note = f"{inside} of {len(offsets)} offsets lie inside instructions of the forged one"
        stage.pair(env=env)
        stage.finish()
        yield from stage.judge(stage.pairs[-1:])


def fifo(stage):
    """What stands at the name of a mapped library may be a FIFO by now."""
    path, _ = stage.folder_of("fifo", stage.libssl)
    old = stage.map(path)
    os.mkfifo(path + ".new")
    os.rename(path + ".new", path)
    stage.hold()
    stage.watch()
    stage.settle()
    stage.pair()
    stage.finish()
    yield from stage.judge()
    stage.end(old)


def fuse(stage):
    """A library on FUSE is not even asked for: its server may let us wait for ever."""
    os.makedirs(stage.path("mnt"))
    server = stage.start(stage.tool("fusefile"), stage.path("mnt"), "libssl.so.3", stage.libssl, os.path.basename(stage.agent_path))
    env = {"LD_LIBRARY_PATH": stage.path("mnt")}
    on_fuse = stage.hold(env=env)
    if not maps(on_fuse.pid, stage.path("mnt", "libssl.so.3")):
        raise procs.Trouble("the library on FUSE is not the one that is loaded")
    stage.hold()
    stage.watch()
    pids = stage.pair(env=env, linger=LINGER)
    foreign = stage.pairs.pop()
    stage.settle()
    stage.pair()
    records, _ = stage.finish()
    yield from stage.judge()
    if not list(stage.judge([foreign])):
        yield "calls were read through a library that should have been refused"
    named = opaque(records, pids)
    if len({r["process"]["pid"] for r in named}) != len(pids):
        yield f"{len(named)} findings opaque_tls of {len(pids)} processes"
    stage.note = str(named[0].get("evidence"))[:120] if named else ""
    stage.end(on_fuse)
    touched = [line for line in stage.end(server).splitlines() if line.startswith("touched")]
    if touched:
        yield f"the file server was asked {len(touched)} times: {touched[:3]}"


def sparse(stage):
    """A program of 10 GB, nearly all of it a hole, is not read."""
    path = stage.path("sparse-pair")
    shutil.copy(os.path.join(VM, "pair-tls-static"), path)
    size = os.path.getsize(path)
    os.truncate(path, SPARSE)
    stage.start(path, "hold")
    stage.hold()
    stage.watch()
    pids = stage.pair(words=[path], linger=LINGER)
    huge = stage.pairs.pop()
    stage.settle()
    stage.pair()
    records, _ = stage.finish()
    yield from stage.judge()
    if not list(stage.judge([huge])):
        yield "the program was probed"
    if len({r["process"]["pid"] for r in opaque(records, pids)}) != len(pids):
        yield "not named as TLS that is not read"
    stage.note = f"{resident(path) >> 20} MiB of it in memory"
    if resident(path) > size + (64 << 20):
        yield f"{resident(path)} bytes of it were read"


def replaced(stage):
    """Another file at the library's name: who has the old one goes on, who loads the new one is read."""
    path, env = stage.folder_of("replaced", stage.libssl)
    peers = stage.load(env)
    if not maps(peers[0].pid, path):
        yield "the copy is not the library that is loaded"
    stage.hold(env=env)
    stage.watch()
    stage.pair(env=env)
    shutil.copyfile(stage.libssl, path + ".new")
    with open(path + ".new", "ab") as f:
        f.write(b"another")
    os.rename(path + ".new", path)
    new = stage.hold(env=env)
    if not until(lambda: stage.probed(new, path), SWEEP):
        yield "the new file is not probed"
    if not probes(peers[0].pid, "libssl"):
        yield "the old file is not probed any more"
    stage.pair(env=env)
    stage.finish()
    yield from stage.judge()
    yield from stage.unload(peers)


def overwritten(stage):
    """A library written to while it is in use, with what it held before: the probes are off before the first byte, and come
    back."""
    path, env = stage.folder_of("overwritten", stage.libssl)
    peers = stage.load(env)
    stage.hold(env=env)
    stage.watch()
    with open(path, "rb") as f:
        content = f.read()
    for _ in range(3):
        if not until(lambda: stage.probed(peers[0], path), SWEEP):
            yield "not probed"
        with open(path, "r+b", 0) as f:
            if probes(peers[0].pid, "libssl"):
                yield "open for writing, and still probed"
            f.write(content)
            time.sleep(0.1)
    if not until(lambda: stage.probed(peers[0], path), SWEEP):
        yield "not probed again"
    stage.pair(env=env)
    stage.finish()
    yield from stage.judge()
    yield from stage.unload(peers)


def rewritten(stage):
    """A library in use becomes another, in place, with the same size and time of change: no probe stands where it stood."""
    path, _ = stage.folder_of("rewritten", stage.libssl)
    old = stage.map(path)
    stage.hold()
    stage.watch()
    offsets = probes(old.pid, "libssl").get(path)
    if not offsets:
        yield "not probed"
        return
    other = stage.path("other")
    inside = forged.libssl(other, stage.libssl, offsets)
    with open(other, "rb") as f:
        content = f.read()
    before = os.stat(path)
    with open(path, "r+b", 0) as f:
        f.write(content)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    new = stage.map(path)
    stage.settle()
    wrong, n = misplaced(new.pid, path)
    stage.note = f"{inside} of {len(offsets)} offsets lie inside instructions now, {n} probes"
    if wrong:
        yield f"probes inside instructions: {wrong[:3]}"
    stage.pair()
    stage.finish()
    yield from stage.judge()


class Holdings:
    """What the agent and the process that attaches hold: descriptors, links, other objects of BPF, KiB of their own and resident,
    of which the ring is a part as far as it was ever filled."""

    WHAT = ("fds", "links", "programs and maps", "KiB", "KiB resident")
    NOTHING = [0] * len(WHAT)

    def __init__(self, pid):
        self.of, self.processes = {}, 0
        for p in family(pid):
            try:
                with open(f"/proc/{p}/comm", encoding="ascii", errors="replace") as f:
                    name = f.read().strip()
                with open(f"/proc/{p}/smaps_rollup", encoding="ascii") as f:
                    memory = {line.split(":")[0]: int(line.split()[1]) for line in f if line.endswith(" kB\n")}
                ids, fds = held(p)
            except OSError:  # a child that read a file
                continue
            self.processes += 1
            links = sum(kind == "link" for kind, _ in ids)
            self.of[name] = [fds, links, len(ids) - links, memory.get("Anonymous", 0), memory.get("Rss", 0)]

    def links(self):
        return sum(now[1] for now in self.of.values())

    def beyond(self, before):
        """Where there is more than before. Fewer is no leak: others on this host may have ended."""
        if self.processes > before.processes:
            yield f"{self.processes} processes, were {before.processes}"
        for name, now in self.of.items():
            was = before.of.get(name, self.NOTHING)
            for what, a, b, room in zip(self.WHAT, was, now, (0, 0, 0, GROWTH_MAX_KB)):
                if b > a + room:
                    yield f"{name}: {b} {what}, were {a}"

    def changes(self, before):
        return "; ".join(f"{name}: " + ", ".join(f"{a} -> {b} {what}" for what, a, b in
                                                 zip(self.WHAT, before.of.get(name, self.NOTHING), now))
                         for name, now in sorted(self.of.items()))


def withdrawn(stage):
    """Functions that have the names, and do what no TLS library does: the probes go off by themselves, and the file is named."""
    names = ("length", "memory", "record", "binary")
    paths = {name: stage.path(name) for name in names}
    odd = {name: stage.start(stage.copy_of(stage.tool("odd"), name), name) for name in names}
    stage.watch()
    for name, proc in odd.items():
        if not until(lambda path=paths[name], proc=proc: stage.probed(proc, path), SWEEP):
            yield f"{name} is not probed"
    for proc in odd.values():
        proc.stdin.write("\n")
        proc.stdin.flush()
        proc.stdout.readline()
    for name in names[:3]:
        if not until(lambda name=name: not stage.probed(odd[name], paths[name]), SWEEP):
            yield f"{name} is probed still"
    if not stage.probed(odd["binary"], paths["binary"]):
        yield "binary is not probed any more"
    stage.note = f"{len(names)} programs"
    told = opaque(stage.finish()[0], [proc.pid for proc in odd.values()])
    whys = sorted(r["evidence"]["why"].split(":")[0] for r in told if "probes withdrawn" in r["evidence"]["why"])
    if whys != sorted(names[:3]) or len(told) != 3:
        yield f"named: {whys}, of {len(told)}"


def binary_alone(stage):
    """Functions that no symbol names, in a program that moves nothing but binary data: withdrawn after 64 connections, and named.
    Where one of these began with text, they stay."""
    odd = {name: stage.start(stage.copy_of(stage.tool("starts"), name), "100", text) for name, text in (("binary", "0"), ("mixed", "20"))}
    stage.watch()
    for name, proc in odd.items():
        if not until(lambda name=name, proc=proc: stage.probed(proc, stage.path(name)), SWEEP):
            yield f"{name} is not probed"
    for name, proc in odd.items():
        proc.stdin.write("\n")
        proc.stdin.flush()
        if proc.stdout.readline() != "done\n":
            yield f"{name}: its connections failed"
    if not until(lambda: not stage.probed(odd["binary"], stage.path("binary")), SWEEP):
        yield "binary is probed still"
    if not stage.probed(odd["mixed"], stage.path("mixed")):
        yield "mixed is not probed any more"
    stage.note = "2 programs"
    told = opaque(stage.finish()[0], [proc.pid for proc in odd.values()])
    whys = [r["evidence"]["why"] for r in told]
    if len(whys) != 1 or not whys[0].startswith("binary: probes withdrawn, as all connections began with binary data"):
        yield f"named: {whys}"


def brief_lives(stage):
    """2,000 short processes a minute: TLS of a library in use, of a program of its own, of a library that nobody else has, and
    none at all."""
    stage.hold()
    agent = stage.watch()
    words = [[stage.tool("brief")], [stage.tool("brief-static")], ["/bin/true"], [os.path.join(VM, "pair-tls-static")]]

    def live(n, own=0):
        """@own: each that many is half a second old, and has a library of its own, which is removed behind it."""
        begin, old = time.monotonic(), []
        for i in range(n):
            if own and i % own == 0:
                path, env = stage.folder_of(f"own.{i}", stage.libssl)
                old.append((stage.hold(env=env), os.path.dirname(path)))
            else:
                subprocess.run(words[i % len(words)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
            time.sleep(max(0, begin + (i + 1) * 0.03 - time.monotonic()))
            if old and (i % own == own - 1 or i == n - 1):
                proc, folder = old.pop()
                stage.end(proc)
                shutil.rmtree(folder)
        return n / (time.monotonic() - begin) * 60

    def rest():
        """Nothing is left to look at: three seconds after an exec."""
        time.sleep(4)
        stage.settle()
        return Holdings(agent.proc.pid)

    # The agent remembers as many processes as its table has room for, those that ended too.
    subprocess.run(["sh", "-c", f"n=0; while [ $n -lt {REMEMBERED} ]; do /bin/true; n=$((n + 1)); done"], check=True)
    live(120)
    before = rest()
    pace = live(1000, OWN)
    most = Holdings(agent.proc.pid)
    after = [rest()]
    until(lambda: after.append(Holdings(agent.proc.pid)) or not list(after[-1].beyond(before)), LINGERS)
    yield from after[-1].beyond(before)
    in_use = most.links() - before.links()
    if in_use < 1000 // OWN:
        yield f"{in_use} links more while libraries came and went: they were not probed"
    stage.note = f"{pace:.0f} a minute, {in_use} links more meanwhile; {after[-1].changes(before)}"
    stage.pair()
    stage.finish()
    yield from stage.judge()


def broken_files(stage):
    """ELF files broken wherever a reader goes by them, mapped as code before the agent starts and while it runs."""
    paths = []
    os.makedirs(stage.path("broken"))
    for name, content in forged.broken(stage.libssl):
        paths.append(stage.path("broken", name))
        with open(paths[-1], "wb") as f:
            f.write(content)
    half = len(paths) // 2
    for i in range(0, half, 20):
        stage.map(*paths[i:min(i + 20, half)])
    stage.hold()
    agent = stage.watch()
    pids = set(family(agent.proc.pid))
    for i in range(half, len(paths), 20):
        stage.map(*paths[i:i + 20])
    stage.settle()
    stage.note = f"{len(paths)} files"
    hooks = [pid for pid in pids if running(pid)]
    if agent.proc.poll() is not None or len(hooks) < 2:
        yield f"of the agent's processes {sorted(pids)} there are {hooks}"
    stage.pair()
    stage.finish()
    yield from stage.judge()


ROWS = (attach_detach, killed, forged_build_id, fifo, fuse, sparse, replaced, overwritten, rewritten, withdrawn, binary_alone, brief_lives,
        broken_files)


def run(row, agent):
    """"passed", "failed" or "skipped", having said so."""
    begin = time.monotonic()
    name = row.__name__.replace("_", "-")
    stage = Stage(name, agent)
    try:
        diffs = list(row(stage))
    except Skip as e:
        print(f"skip  {name}: {e}", flush=True)
        return "skipped"
    except (procs.Trouble, subprocess.SubprocessError, OSError, KeyError, ValueError) as e:
        diffs = [f"{type(e).__name__}: {e}"]
    finally:
        stage.clean()
        procs.reap()
    took = f"{time.monotonic() - begin:.0f} s"
    print(f"FAIL  {name}: {len(diffs)} differences, {took}" if diffs else f"ok    {name}: {stage.note}, {took}")
    print("".join(f"      {d[:300]}\n" for d in diffs[:6]), end="", flush=True)
    return "failed" if diffs else "passed"


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("--all", action="store_true", help="200 agents")
    parser.add_argument("rows", nargs="*", help="names; default all")
    options = parser.parse_args()
    if options.all:
        os.environ.setdefault("ROUNDS", "200")
    build()
    procs.adopt_orphans()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for row in ROWS:
        if not options.rows or row.__name__.replace("_", "-") in options.rows:
            count[run(row, os.path.abspath(options.agent))] += 1
    print(", ".join(f"{n} {word}" for word, n in count.items() if n or word != "skipped"))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if count["failed"] or not sum(count.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
