#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a server and a client apart from this host and from each other, until the client ends; its status is ours.

inside.py netns|overlay TMP HOST PORT -- SERVER... -- CLIENT...

netns: each in a network namespace of its own; a veth pair joins them, the server has HOST.
overlay: each in a root of its own, as in a container: overlays of one lower layer, which is this host with a TLS library of
the layer's own."""
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)


def unshare(flags):
    if libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def run(*words):
    subprocess.run(words, check=True)


class Child:
    """A process that runs @prepare and then @words, once it is told to go on."""

    def __init__(self, words, prepare, enter):
        self.reading, self.writing = os.pipe()
        ready, telling = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.close(self.writing)
            enter()
            os.write(telling, b".")
            os.read(self.reading, 1)
            prepare()
            os.execvp(words[0], words)
        os.close(telling)
        if not os.read(ready, 1):
            raise RuntimeError("a child could not enter its namespaces")

    def go(self):
        os.write(self.writing, b".")

    def wait(self):
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def address(device, value):
    run("ip", "address", "add", value, "dev", device)
    for name in (device, "lo"):
        run("ip", "link", "set", name, "up")


def netns(_tmp, host, server_words, client_words):
    ours = host.rpartition(".")[0] + ".2/24"
    server = Child(server_words, lambda: address("veth1", host + "/24"), lambda: unshare(CLONE_NEWNET))
    unshare(CLONE_NEWNET)
    run("ip", "link", "add", "veth0", "type", "veth", "peer", "name", "veth1", "netns", str(server.pid))
    address("veth0", ours)
    return server, Child(client_words, lambda: None, lambda: None)


def layer(tmp):
    """The lower layers: this host, under a file system that holds a copy of each TLS library of it, at the same path."""
    base = os.path.join(tmp, "layers")
    os.mkdir(base)
    run("mount", "-t", "tmpfs", "layers", base)
    told = subprocess.run(["ldconfig", "-p"], capture_output=True, text=True, check=True).stdout
    paths = {os.path.realpath(line.split()[-1]) for line in told.splitlines() if "libssl" in line}
    for path in paths:
        copy = os.path.join(base, "lower") + path
        os.makedirs(os.path.dirname(copy), exist_ok=True)
        shutil.copy(path, copy)
    return base


def overlay(base, name):
    """Into a root of its own; what is not in the file system of the root is where it was."""
    parts = {part: os.path.join(base, name, part) for part in ("upper", "work", "root")}
    for path in parts.values():
        os.makedirs(path)
    lower, root = os.path.join(base, "lower"), parts["root"]
    run("mount", "-t", "overlay", name, "-o", f"lowerdir={lower}:/,upperdir={parts['upper']},workdir={parts['work']}", root)
    here = os.getcwd()
    for path in ["/proc", "/dev", "/tmp", here]:
        os.makedirs(root + path, exist_ok=True)
        run("mount", "--rbind", path, root + path)
    os.chroot(root)
    os.chdir(here)


def containers(tmp, _host, server_words, client_words):
    unshare(CLONE_NEWNS)
    run("mount", "--make-rprivate", "/")
    base = layer(tmp)

    def child(name, words):
        return Child(words, lambda: overlay(base, name), lambda: unshare(CLONE_NEWNS))

    return child("server", server_words), child("client", client_words)


def wait_for(host, port):
    for _ in range(1000):
        with socket.socket() as s:
            if s.connect_ex((host, port)) == 0:
                return
        time.sleep(0.02)
    raise RuntimeError("the server does not listen")


def main():
    kind, tmp, host, port = sys.argv[1:5]
    words = sys.argv[6:]
    server_words, client_words = words[:words.index("--")], words[words.index("--") + 1:]
    server, client = {"netns": netns, "overlay": containers}[kind](tmp, host, server_words, client_words)
    server.go()
    wait_for(host, int(port))
    client.go()
    code = client.wait()
    os.kill(server.pid, signal.SIGTERM)
    server.wait()
    return code


if __name__ == "__main__":
    sys.exit(main())
