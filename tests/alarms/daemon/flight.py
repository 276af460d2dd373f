# SPDX-License-Identifier: Apache-2.0
"""What hangs, which servers died, which never answered."""
import os
import sys

import procs
from daemon import Daemon, check, same, wait_until
from play import HERE, Client

MUTE = [sys.executable, os.path.join(HERE, "mute.py")]


def of(pid, records):
    return [r for r in records if r.get("client", {}).get("pid") == pid]


def hanging_calls(env):
    """A call without an answer: whose it is, what it is, on which server, since when; and it is gone once it is over."""
    with Daemon(env.agent, env.folder) as daemon, Client(env.folder) as client:
        client.tell("work 1")
        client.tell("hang")
        server = client.server()
        hanging = wait_until("the call", lambda: of(client.pid, daemon.calls()[0]))
        same(len(hanging), 1, "calls that hang")
        call = hanging[0]
        same((call["method"], call["tool"], call["id"], call["server"]["pid"], call["server"]["comm"], call["client"]["comm"]),
             ("tools/call", "mute", 2, server, "python3", "python3"), "the call")
        again = of(client.pid, daemon.calls()[0])[0]
        check(0 < call["age_ns"] < again["age_ns"], f"ages {call['age_ns']}, {again['age_ns']}")
        wait_until("it is on the page", lambda: daemon.metric("mcpvigil_requests_in_flight") >= 1)
        text = daemon.ask("calls", "--once")
        check(any("mute" in line and f"({client.pid})" in line and f"({server})" in line for line in text.splitlines()), text)
        client.end()
        wait_until("nothing hangs", lambda: not of(client.pid, daemon.calls()[0]))
        daemon.end()


def server_killed(env):
    """SIGKILL with two calls in flight: the server is among the dead, with its signal and its calls."""
    with Daemon(env.agent, env.folder) as daemon, Client(env.folder) as client:
        client.tell("work 2")
        client.tell("hang")
        server = client.server()
        client.start("die")
        death = wait_until("the death", lambda: of(client.pid, daemon.calls()[1]))
        same(len(death), 1, "deaths")
        same((death[0]["server"]["pid"], death[0]["signal"], death[0]["calls"], sorted(death[0]["names"])),
             (server, 9, 2, ["die", "mute"]), "the death")
        same(of(client.pid, daemon.calls()[0]), [], "what hangs after it")
        check("took along 2 calls" in daemon.ask("calls", "--once"), "the table does not say what it took along")
        client.done()
        client.end()
        daemon.end()


def never_answers(env):
    """A server that was started and does not answer initialize."""
    with Daemon(env.agent, env.folder) as daemon:
        client = Client(env.folder, server=MUTE, greeted=False)
        with client:
            waiting = wait_until("initialize", lambda: of(client.pid, daemon.calls()[0]))
            same([(r["method"], r["server"]["pid"]) for r in waiting], [("initialize", client.server())], "what waits")
            lines = daemon.ask("calls", "--once").split("servers that have not answered initialize\n")[1].splitlines()
            check(f"({client.pid})" in "".join(lines[:lines.index("servers that died")]), f"the table says {lines}")
            procs.stop(client.proc)
        wait_until("it is given up", lambda: not of(client.pid, daemon.calls()[0]))
        daemon.end()


def start_up_times(env):
    """How long servers took to answer initialize."""
    with Daemon(env.agent, env.folder) as daemon:
        before = daemon.calls()[2][0]["starts"]
        for n in range(3):
            with Client(env.folder, f"client{n}") as client:
                client.end()
        total = wait_until("three starts", lambda: [t for t in daemon.calls()[2] if t["starts"] >= before + 3])[0]
        check(0 < total["startup_p50_ns"] <= total["startup_max_ns"] < 60e9, f"times {total}")
        daemon.end()


ROWS = [hanging_calls, server_killed, never_answers, start_up_times]
