# SPDX-License-Identifier: Apache-2.0
"""The control socket: who may ask, and that nobody's slowness is another's loss."""
import json
import os
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time

import procs
from daemon import PATIENCE, Daemon, Trace, check, read, same, wait_until
from play import Client, exact, records_of

TRACES = 16  # what the agent takes at a time
NOBODY = 65534


def one_agent(env):
    """The socket is root's alone; a second agent says who is there and leaves the first in peace."""
    with Daemon(env.agent, env.folder) as daemon:
        mode = os.stat(daemon.socket).st_mode
        check(stat.S_ISSOCK(mode), "no socket")
        same(mode & 0o777, 0o600, "its mode")
        second = Daemon(env.agent, env.folder)
        second.err = os.path.join(env.folder, "second.err")
        same(second.refused(), f"mcpvigil: already running: an agent answers at {daemon.socket}\n", "the second agent says")
        check("agent       running, pid %d" % daemon.proc.pid in daemon.ask("doctor"), "the first does not answer any more")
        daemon.end()
        check(not os.path.exists(daemon.socket), "the socket is left behind")


def stale_socket(env):
    """What a killed agent leaves behind is replaced."""
    with Daemon(env.agent, env.folder) as first:
        first.signal(signal.SIGKILL)
        procs.wait_end(first.proc, "agent", PATIENCE)
        check(os.path.exists(first.socket), "a killed agent removed its socket")
        with Daemon(env.agent, env.folder) as second:
            check("agent       running, pid %d" % second.proc.pid in second.ask("doctor"), "the second does not answer")
            second.end()


def others_may_not_ask(env):
    """Another user is refused: by the file's mode, and where that lets him through, by the agent."""
    with Daemon(env.agent, env.folder) as daemon, tempfile.TemporaryDirectory() as public:
        os.chmod(public, 0o755)
        agent = shutil.copy(env.agent, public)
        for modes in ((0o700, 0o600), (0o711, 0o666)):
            os.chmod(env.folder, modes[0])
            os.chmod(daemon.socket, modes[1])
            for words in (["calls", "--once"], ["trace"], ["doctor"]):
                words = [agent, *words, "--socket", daemon.socket]
                done = subprocess.run(["setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}", "--clear-groups", *words],
                                      stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE)
                why = "only root may ask the agent" if modes[1] == 0o666 else "EACCES"
                check(done.returncode == 1 and why in done.stderr, f"{modes}: {done.returncode} {done.stderr}")
                check("agent " not in done.stdout, f"{modes}: he was told {done.stdout}")
        daemon.end()


class Deaf:
    """A trace that asks and never reads."""

    def __init__(self, daemon):
        words = b"trace\0plain\0-o\0json\0"
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.socket.connect(daemon.socket)
        self.socket.sendall(bytes([0x10, 1, 0, 0]) + len(words).to_bytes(4, "little") + words)


def of_client(text, pid):
    """Its records, but for their numbers, which others' records change, and times of day, which each trace takes from the
    clock as it begins."""
    records = records_of(text)
    return [{**r, "seq": 0, "ts": 0, "start": 0, "since": 0, "ended": 0} for r in records if r.get("client", {}).get("pid") == pid]


def many_traces(env):
    """As many traces as there may be, one of which never reads: all others get every record; one more is turned away."""
    with Daemon(env.agent, env.folder) as daemon:
        traces = [Trace(daemon, name=f"trace{n}") for n in range(TRACES - 1)]
        deaf = Deaf(daemon)
        more = subprocess.run([env.agent, "trace", "--socket", daemon.socket], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=PATIENCE)
        same((more.returncode, more.stderr), (1, "mcpvigil: the agent has as many traces as it can have\n"), "one more")
        with Client(env.folder) as client:
            client.tell("burst 3500")
            client.end()
        wait_until("the deaf one loses", lambda: daemon.metric("mcpvigil_lost_total", loss="subscriber_dropped"))
        for trace in traces:
            trace.proc.send_signal(signal.SIGINT)
        found = [trace.ended() for trace in traces]
        exact(client.truth, records_of(found[0][0]), "the first trace")
        want = of_client(found[0][0], client.pid)
        for n, (text, summary) in enumerate(found):
            check("subscriber_dropped" not in json.loads(summary)["losses"], f"trace {n}: {summary}")
            differ = [pair for pair in zip(want, of_client(text, client.pid)) if pair[0] != pair[1]]
            same((differ[:1], len(of_client(text, client.pid))), ([], len(want)), f"trace {n}: what differs, and records")
        deaf.socket.close()
        daemon.end()


def ends_with_the_agent(env):
    """A trace whose agent ends gets its summary; one whose agent is killed says so."""
    for sig, status in ((signal.SIGTERM, 0), (signal.SIGKILL, 1)):
        with Daemon(env.agent, env.folder) as daemon:
            trace = Trace(daemon, name=f"trace{int(sig)}")
            with Client(env.folder, f"client{int(sig)}") as client:
                client.tell("work 5")
                client.end()
            time.sleep(0.2)
            daemon.signal(sig)
            same(procs.wait_end(trace.proc, "trace", PATIENCE), status, f"{read(trace.err)}: status of the trace")
            last = read(trace.err).splitlines()[-1]
            if status:
                same(last, "mcpvigil: the agent went away", "its last line")
            else:
                same(json.loads(last)["calls"] >= 6, True, "calls of the summary")
            exact(client.truth, records_of(read(trace.out)), "its records")


ROWS = [one_agent, stale_socket, others_may_not_ask, many_traces, ends_with_the_agent]
