# SPDX-License-Identifier: Apache-2.0
"""What the daemon gave up, and that it does not miss it."""
import os
import re
import subprocess
import sys
import time

import procs
from daemon import Daemon, Trace, check, read, same, wait_until
from play import HERE, Client, exact, records_of
from receiver import Receiver

ENDS = os.path.join(HERE, "..", "..", "e2e", "ends", "run.py")
CAPS = {"CAP_DAC_READ_SEARCH": 2, "CAP_NET_BIND_SERVICE": 10, "CAP_SYS_PTRACE": 19, "CAP_BPF": 39}


def status(pid, thread):
    text = read(f"/proc/{pid}/task/{thread}/status")
    return dict(line.split(":\t", 1) for line in text.splitlines() if ":\t" in line)


def rights_of(daemon):
    """{capabilities} that doctor says are held."""
    text = daemon.ask("doctor")
    found = re.search(r"^capabilities (\d+) of \d+\n((?:  cap_\w+|  CAP_\w+|  \w+) .*\n)*", text, re.M)
    names = re.findall(r"^  (\w+) ", found[0], re.M)
    same(len(names), int(found[1]), "capabilities that doctor lists")
    check("no_new_privs yes\nseccomp      filter\n" in text, f"doctor: {text}")
    return {n.upper() if n.upper().startswith("CAP_") else f"CAP_{n.upper()}" for n in names}


def privileges(env):
    """Every thread has the capabilities that doctor lists and no other, no new privileges, and the filter."""
    with Receiver() as a, Receiver() as b, Daemon(env.agent, env.folder, {
            "alertmanager": {"urls": [f"http://127.0.0.1:{a.port}"]}, "webhook": {"urls": [f"http://127.0.0.1:{b.port}"]}}) as daemon:
        held = sum(1 << CAPS[name] for name in rights_of(daemon))
        threads = os.listdir(f"/proc/{daemon.proc.pid}/task")
        same(len(threads), 4, "threads: the loop, the page, one each for two outputs")
        for thread in threads:
            found = status(daemon.proc.pid, thread)
            sets = {name: int(found[name], 16) for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd")}
            same(sets, {"CapEff": held, "CapPrm": held, "CapInh": 0, "CapAmb": 0, "CapBnd": 0}, f"thread {thread}")
            same((found["NoNewPrivs"], found["Seccomp"]), ("1", "2"), f"thread {thread}: no_new_privs, seccomp")
        check(held & ~(1 << CAPS["CAP_BPF"]) == 1 << CAPS["CAP_SYS_PTRACE"] | 1 << CAPS["CAP_DAC_READ_SEARCH"], f"held: {held:x}")
        daemon.end()


def privileges_kept(env):
    """privileges.drop: false is for those who must look into it; doctor says so."""
    with Daemon(env.agent, env.folder, {"privileges": {"drop": False}}) as daemon:
        found = status(daemon.proc.pid, daemon.proc.pid)
        same((found["NoNewPrivs"], found["Seccomp"]), ("0", "0"), "no_new_privs, seccomp")
        check("no_new_privs no\nseccomp      off\n" in daemon.ask("doctor"), "doctor does not say so")
        daemon.end()


def low_port(env):
    """A page below port 1024: the capability for it stays, and doctor says why."""
    daemon = Daemon(env.agent, env.folder)
    daemon.port = next(port for port in range(1023, 512, -1) if not procs.listening(port))
    daemon.config["prometheus"]["listen"] = f"127.0.0.1:{daemon.port}"
    with daemon:
        same(daemon.get("/healthz"), (200, "ok\n"), "/healthz")
        check("CAP_NET_BIND_SERVICE" in rights_of(daemon), "doctor does not list it")
        daemon.end()


def unknown_host(env):
    """A name that nobody knows: the resolver does all it can do under the filter, and the output fails, no more."""
    with Daemon(env.agent, env.folder, {"webhook": {"urls": ["http://mcpvigil.invalid/"], "group_wait": "0s"}}) as daemon, \
            Client(env.folder) as client:
        client.tell("fail 4")
        wait_until("it fails", lambda: daemon.ready() == (503, "output failing: webhook http://mcpvigil.invalid\n"))
        check(re.search("webhook http://mcpvigil.invalid fails: .*(resolve|imed out|imeout)", daemon.said()), daemon.said())
        client.tell("work 3")
        client.end()
        daemon.end()


def others(agent):
    """Peers in containers' cgroups, of other users, killed, out of memory, gone before anybody looked."""
    words = [sys.executable, ENDS, "--agent", agent]
    return subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


def crowd(env, daemon, end):
    """Sessions one after the other, some of whose servers do not live to answer."""
    n = 0
    while time.monotonic() < end:
        n += 1
        with Client(env.folder, f"crowd{n}") as client:
            client.tell("work 5")
            client.tell("fail 4")
            client.tell("work 5")
            client.start("end" if n % 3 else "die")
            client.proc.stdin.close()
            client.proc.wait(30)
        subprocess.run([sys.executable, "-c", "import subprocess; [subprocess.run(['/bin/true'], input=b'{\"jsonrpc\":\"2.0\"}') "
                        "for _ in range(20)]"], stderr=subprocess.DEVNULL)
        daemon.ask("calls", "--once")
        daemon.ask("doctor")
        same(daemon.ready(), (200, "ok\n"), f"/readyz in round {n}")
    return n


def endurance(env):
    """Peers of all kinds under the filter, a webhook by its name, a log that is rotated, reloads: it neither dies nor
    loses, and nothing that it was denied shows."""
    with Receiver() as webhook, Daemon(env.agent, env.folder, {
            "webhook": {"urls": [f"http://localhost:{webhook.port}/"], "group_wait": "0s"},
            "alert_log": {"max_size": "4k", "keep": 3}, "loops": {"resolve_after": "1s"}}) as daemon:
        trace, beside = Trace(daemon), others(env.agent)
        rounds = crowd(env, daemon, time.monotonic() + env.seconds)
        same(beside.wait(60), 0, "tests/e2e/ends/run.py beside it")
        daemon.reload()
        wait_until("the webhook heard", lambda: webhook.got)
        check(os.path.exists(daemon.log + ".1"), "the log was never rotated")
        records = records_of(trace.finish()[0])
        for n in range(1, rounds + 1):
            exact(os.path.join(env.folder, f"crowd{n}.truth"), records, f"session {n}")
        same(daemon.proc.poll(), None, "the daemon's end")
        check(not re.search(r"EPERM|ENOSYS|EACCES|cannot|fails", daemon.said()), f"it says {daemon.said()}")
        daemon.end()


ROWS = [privileges, privileges_kept, low_port, unknown_host, endurance]
