# SPDX-License-Identifier: Apache-2.0
"""Processes that a cell starts. Each is waited for with a time limit; what it leaves behind is found and ended."""
import ctypes
import os
import signal
import socket
import subprocess
import time

PR_SET_CHILD_SUBREAPER = 36


class Trouble(Exception):
    """The cell cannot go on; the message says why."""


def adopt_orphans():
    """Processes whose parent ends become children of this one, so that none can be left over."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def start(words, stdout, stderr, env=None):
    """Runs in the folder of @stderr, where what it leaves behind does no harm."""
    with open(stdout, "wb") as out, open(stderr, "wb") as err:
        try:
            return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=out, stderr=err,
                                    cwd=os.path.dirname(os.path.abspath(stderr)),
                                    env={**os.environ, **(env or {})}, start_new_session=True)
        except OSError as e:
            raise Trouble(f"{words[0]}: {e.strerror}") from e


def wait_end(proc, what, timeout):
    try:
        return proc.wait(timeout)
    except subprocess.TimeoutExpired:
        raise Trouble(f"{what} still runs after {timeout} s") from None


def wait_for(what, ready, proc, timeout=20):
    """Until @ready() is true; trouble if @proc ends first."""
    end = time.monotonic() + timeout
    while not ready():
        if proc.poll() is not None:
            raise Trouble(f"{what}: ended with {proc.returncode}")
        if time.monotonic() > end:
            raise Trouble(f"{what}: not within {timeout} s")
        time.sleep(0.02)


def stop(proc, sig=signal.SIGTERM, timeout=5):
    if proc is None or proc.poll() is not None:
        return
    proc.send_signal(sig)
    try:
        proc.wait(timeout)
    except subprocess.TimeoutExpired:
        proc.kill()
        proc.wait()


def reap():
    """Ends every child that is left, and theirs. Returns how many."""
    count = 0
    for _ in range(100):
        left = children()
        if not left:
            break
        for pid in left:
            os.kill(pid, signal.SIGKILL)
        for pid in left:
            os.waitpid(pid, 0)
        count += len(left)
    return count


def children():
    """Running children; those that have ended are collected."""
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as f:
        pids = [int(word) for word in f.read().split()]
    running = []
    for pid in pids:
        done, _ = os.waitpid(pid, os.WNOHANG)
        if not done:
            running.append(pid)
    return running


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def listening(port):
    with socket.socket() as s:
        s.settimeout(1)
        return s.connect_ex(("127.0.0.1", port)) == 0
