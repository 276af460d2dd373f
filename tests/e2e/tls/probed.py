# SPDX-License-Identifier: Apache-2.0
"""Probes as the kernel sets them: bytes of a process's code that are not those of the file they are mapped from; and where
they may stand. And what a process holds of BPF."""
import glob
import json
import os
import re
import subprocess

BLOCK = 64 << 10


def mappings(pid):
    """(start, end, file offset, path) of code that comes from files."""
    with open(f"/proc/{pid}/maps", encoding="utf-8", errors="replace") as f:
        for line in f:
            words = line.rstrip("\n").split(None, 5)
            if "x" not in words[1] or words[4] == "0":
                continue
            start, end = (int(x, 16) for x in words[0].split("-"))
            yield start, end, int(words[2], 16), words[5].removesuffix(" (deleted)")


def differing(a, b):
    """Offsets at which a run of different bytes begins."""
    if a == b:
        return
    last = -2
    for i, (x, y) in enumerate(zip(a, b)):
        if x != y:
            if i != last + 1:
                yield i
            last = i


def probes(pid, name=""):
    """{path: sorted file offsets} of the mapped files whose name begins so, those without probes left out."""
    found = {}
    with open(f"/proc/{pid}/mem", "rb", 0) as mem:
        for start, end, offset, path in mappings(pid):
            if not os.path.basename(path).startswith(name):
                continue
            with open(f"/proc/{pid}/map_files/{start:x}-{end:x}", "rb", 0) as file:
                for at in range(0, end - start, BLOCK):
                    want = os.pread(file.fileno(), min(BLOCK, end - start - at), offset + at)
                    got = os.pread(mem.fileno(), len(want), start + at)
                    found.setdefault(path, set()).update(offset + at + i for i in differing(want, got))
    return {path: sorted(at) for path, at in found.items() if at}


def instructions(path):
    """File offsets at which an instruction of the file begins."""
    offset_of = {}
    for line in subprocess.run(["readelf", "-SW", path], capture_output=True, text=True, check=True).stdout.splitlines():
        m = re.match(r"\s*\[ *\d+\] (\.\S+)\s+\S+\s+([0-9a-f]+) ([0-9a-f]+) ", line)
        if m:
            offset_of[m[1]] = int(m[3], 16) - int(m[2], 16)
    starts, shift = set(), 0
    text = subprocess.run(["objdump", "-d", "--no-show-raw-insn", "-w", path], capture_output=True, text=True, check=True).stdout
    for line in text.splitlines():
        if line.startswith("Disassembly of section "):
            shift = offset_of[line.split()[-1].rstrip(":")]
        m = re.match(r"\s+([0-9a-f]+):\t", line)
        if m:
            starts.add(int(m[1], 16) + shift)
    return starts


def family(pid):
    """@pid and the processes below it."""
    pids = [pid]
    for path in glob.glob(f"/proc/{pid}/task/*/children"):
        try:
            with open(path, encoding="ascii") as f:
                children = f.read().split()
        except OSError:  # a thread that was there a moment ago
            continue
        for child in children:
            pids += family(int(child))
    return pids


def running(pid):
    """Also not when it has ended and nobody has asked how."""
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as f:
            return f.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except OSError:
        return False


def held(pid):
    """Kernel objects of BPF that @pid holds: {("link", id), ("prog", id), ("map", id)}; and its descriptors' number."""
    ids, n = set(), 0
    try:
        fds = os.listdir(f"/proc/{pid}/fd")
    except OSError:  # a child that was there a moment ago
        fds = []
    for fd in fds:
        try:
            with open(f"/proc/{pid}/fdinfo/{fd}", encoding="ascii", errors="replace") as f:
                text = f.read()
        except OSError:
            continue
        n += 1
        try:
            target = os.readlink(f"/proc/{pid}/fd/{fd}")
        except OSError:
            continue
        for kind in ("link", "prog", "map"):
            m = re.search(rf"^{kind}_id:\s*(\d+)", text, re.M)
            if m and f"bpf-{kind}" in target.replace("_", "-"):
                ids.add((kind, int(m[1])))
    return ids, n


def bpftool(*words):
    """What it says; its exit status is 255 after some links that it has shown."""
    return subprocess.run(["bpftool", *words], capture_output=True, text=True, check=False,
                          env={**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}).stdout


def alive(kind, number):
    """Does the kernel still have that object?"""
    return bpftool(kind, "show", "id", str(number)).startswith(f"{number}:")


def probed_files(pids):
    """Paths of the files on which these processes have probes; None where the kernel does not tell (before uprobe_multi)."""
    ids = {number for pid in pids for kind, number in held(pid)[0] if kind == "link"}
    if not ids:
        return None
    links = [link for link in json.loads(bpftool("-j", "link", "show") or "[]") if link["id"] in ids and "path" in link]
    return {link["path"].removesuffix(" (deleted)") for link in links} if links else None


def holders(path):
    """Processes of this host that have probes on the file."""
    pids = [int(name) for name in os.listdir("/proc") if name.isdigit()]
    return [pid for pid in pids if path in (probed_files([pid]) or ())]


def resident(path):
    """Bytes of the file that are in memory."""
    done = subprocess.run(["fincore", "-nb", "-o", "RES", path], capture_output=True, text=True, check=True)
    return int(done.stdout)
