#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Both ends of a session, and how the server ended: what the agent says of the processes against what is true.

RESULTS: a file that gets a line "P F S"."""
import argparse
import json
import os
import shutil
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
sys.path.insert(0, os.path.dirname(HERE))
sys.dont_write_bytecode = True
import procs  # noqa: E402
from agent import Agent  # noqa: E402

ID = "ab" * 32
UID = "4ee2f572-1c5b-4a7e-9a55-0c3f2d1e4b6a"
SMALL = "48M"
EXE = os.path.realpath(sys.executable)

# What the server's object ends with; beside it the cgroup that it runs in.
ROWS = {
    "plain": {"exit_code": 0},
    "start": {"exit_code": 3},
    "exit": {"exit_code": 7},
    "kill": {"signal": "SIGKILL"},
    "abort": {"signal": "SIGABRT"},
    "thread": {"exit_code": 9},
    "oom": {"signal": "SIGKILL", "oom": True},
    "uid": {"exit_code": 0, "uid": 1234},
    "chain": {"exit_code": 0},
    "container": {"exit_code": 0, "container": {"id": ID, "runtime": "docker"}},
    "pod": {"exit_code": 0, "container": {"id": ID, "runtime": "containerd"}, "pod_uid": UID},
}
CGROUPS = {
    "container": f"docker/{ID}",
    "pod": f"kubepods.slice/kubepods-pod{UID.replace('-', '_')}.slice/cri-containerd-{ID}.scope",
}
V2 = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified")


class Skip(Exception):
    pass


def v2_root():
    for root in V2:
        if os.path.exists(os.path.join(root, "cgroup.subtree_control")):
            return root
    raise Skip("no cgroup2 mount")


def small_cgroup():
    """(root, folder, limit file) of a cgroup with little memory."""
    if os.path.exists("/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        return "/sys/fs/cgroup/memory", "mcpvigil-oom", "memory.limit_in_bytes"
    root = v2_root()
    with open(os.path.join(root, "cgroup.subtree_control"), encoding="ascii") as f:
        if "memory" not in f.read().split():
            raise Skip("no memory controller")
    return root, "mcpvigil-oom", "memory.max"


def cgroup_make(row):
    """(root, path below it), or None."""
    if row == "oom":
        root, path, limit = small_cgroup()
        os.makedirs(os.path.join(root, path), exist_ok=True)
        with open(os.path.join(root, path, limit), "w", encoding="ascii") as f:
            f.write(SMALL)
        return root, path
    if row not in CGROUPS:
        return None
    root, path = v2_root(), CGROUPS[row]
    os.makedirs(os.path.join(root, path), exist_ok=True)
    return root, path


def cgroup_drop(cgroup):
    root, path = cgroup
    while path:
        try:
            os.rmdir(os.path.join(root, path))
        except OSError:
            return  # not empty: somebody else's
        path = os.path.dirname(path)


def play(row, folder, agent_path):
    cgroup = cgroup_make(row)
    agent = Agent(agent_path, folder)
    try:
        words = [sys.executable, os.path.join(HERE, "peer.py"), row, os.path.join(folder, "truth"),
                 os.path.join(*cgroup) if cgroup else "-"]
        client = procs.start(words, os.path.join(folder, "out"), os.path.join(folder, "err"))
        procs.wait_end(client, "client", 60)
        time.sleep(0.3)
        records, _ = agent.finish()
    finally:
        procs.stop(agent.proc)
        if cgroup:
            cgroup_drop(cgroup)
    with open(os.path.join(folder, "truth"), encoding="ascii") as f:
        truth = json.load(f)
    yield from judge(row, truth, records, cgroup)


def judge(row, truth, records, cgroup):
    of_row = [r for r in records if r.get("client", {}).get("pid") == truth["client"] and "pid" in r.get("server", {})]
    if not of_row:
        yield "no record with both ends"
        return
    client, server = of_row[-1]["client"], of_row[-1]["server"]
    if os.path.realpath(client.get("exe", "")) != EXE or os.path.realpath(server.get("exe", "")) != EXE:
        yield f"exe: {client.get('exe')}, {server.get('exe')}"
    if client.get("uid") != os.geteuid():
        yield f"client's uid: {client.get('uid')}"
    parents = [p["pid"] for p in client.get("parents", [])]
    if not parents or parents[0] != os.getpid():
        yield f"client's parents: {client.get('parents')}"
    yield from judge_server(row, truth, server, cgroup)


def judge_server(row, truth, server, cgroup):
    want = {"uid": os.geteuid(), **ROWS[row]}
    for key in ("exit_code", "signal", "oom", "uid", "container", "pod_uid"):
        if server.get(key) != want.get(key):
            yield f"server's {key}: {server.get(key)}, not {want.get(key)}"
    if row == "start":
        return  # it was gone before anybody could look
    parents = [p["pid"] for p in server.get("parents", [])]
    chain = [truth["server"], truth["client"]] if row == "chain" else [truth["client"]]
    if parents[:len(chain)] != chain:
        yield f"server's parents: {parents}, not {chain}"
    if row != "chain" and server["pid"] != truth["server"]:
        yield f"server's pid: {server['pid']}, not {truth['server']}"
    if cgroup and server.get("cgroup") != "/" + cgroup[1]:
        yield f"server's cgroup: {server.get('cgroup')}, not /{cgroup[1]}"


def run(row, agent, count):
    folder = tempfile.mkdtemp(prefix="ends.")
    try:
        diffs = list(play(row, folder, agent))
    except Skip as e:
        count["skipped"] += 1
        print(f"skip {row}: {e}", flush=True)
        return
    except procs.Trouble as e:
        diffs = [str(e)]
    finally:
        procs.reap()
        shutil.rmtree(folder)
    count["failed" if diffs else "passed"] += 1
    print(f"FAIL {row}" if diffs else f"ok   {row}")
    print("".join(f"       {d[:300]}\n" for d in diffs), end="", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(ROOT, "build", "mcpvigil"))
    parser.add_argument("rows", nargs="*", help="names; default all")
    options = parser.parse_args()
    procs.adopt_orphans()
    count = {"passed": 0, "failed": 0, "skipped": 0}
    for row in ROWS:
        if not options.rows or row in options.rows:
            run(row, options.agent, count)
    print(", ".join(f"{n} {word}" for word, n in count.items() if n or word != "skipped"))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count.values(), file=f)
    return 1 if count["failed"] or not sum(count.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
