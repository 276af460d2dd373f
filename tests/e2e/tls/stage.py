# SPDX-License-Identifier: Apache-2.0
"""What a row of harm.py works with: programs that map things, pairs whose every call must be seen, HTTPS load, the agent; all
of it gone when the row ends."""
import json
import os
import shutil
import signal
import subprocess
import sys
import time

import cells
import procs
from agent import Agent, tail
from probed import family, mappings, probed_files, probes

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(HERE)))
VM = os.path.join(ROOT, "build", "vm")
OUT = os.path.join(ROOT, "build", "tls-harm")
BIN = os.path.join(OUT, "bin")
FLAGS = ["-std=gnu17", "-D_GNU_SOURCE", "-O2", "-g", "-Wall", "-Wextra", "-Werror", "-Wshadow", "-Wstrict-prototypes"]
CERT = os.path.join(ROOT, "tests", "vm", "tls_cert.c")
PROGRAMS = {"mapper": ["mapper.c"], "odd": ["odd.c"],
            "starts": ["starts.c", "loopback.c", CERT, "-s", "-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic"], "fusefile": ["fusefile.c"], "cert": ["cert.c", CERT, "-lcrypto"],
            "brief": ["brief.c", "loopback.c", CERT, "-lssl", "-lcrypto"],
            "brief-static": ["brief.c", "loopback.c", CERT, "-Wl,-Bstatic", "-lssl", "-lcrypto", "-Wl,-Bdynamic"]}
SWEEP = 45  # seconds after which whatever can be found was found


class Skip(Exception):
    pass


def build():
    os.makedirs(BIN, exist_ok=True)
    subprocess.run([os.path.join(ROOT, "tests", "vm", "build"), VM], check=True)
    for name, words in PROGRAMS.items():
        subprocess.run(["gcc", *FLAGS, *(os.path.join(HERE, w) if w.endswith(".c") else w for w in words), "-o", os.path.join(BIN, name)],
                       check=True)


def until(ready, seconds):
    """Whether @ready() became true in that time."""
    end = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


class Stage:
    def __init__(self, name, agent_path):
        self.folder = os.path.join(OUT, name)
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.folder)
        self.agent_path, self.agent, self.note = agent_path, None, ""
        self.started, self.pairs, self.copies, self.made = [], [], 0, 0
        self.libssl = os.path.realpath(next(path for path in ldd(os.path.join(VM, "pair-tls")) if "libssl" in path))

    def path(self, *names):
        return os.path.join(self.folder, *names)

    def tool(self, name):
        return os.path.join(BIN, name)

    def start(self, *words, env=None):
        """A program that says "ready", and ends with its input."""
        with open(self.path(f"{os.path.basename(words[0])}.{len(self.started)}.err"), "wb") as err:
            proc = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=err, text=True,
                                    env={**os.environ, **(env or {})}, start_new_session=True)
        self.started.append(proc)
        if proc.stdout.readline() != "ready\n":
            code = proc.wait(10)
            if code == 77:
                raise Skip(f"{os.path.basename(words[0])} is not possible on this machine")
            raise procs.Trouble(f"{words}: ended with {code}")
        return proc

    def end(self, proc):
        """What the program said after "ready"."""
        return proc.communicate(timeout=60)[0]

    def map(self, *paths):
        return self.start(self.tool("mapper"), *paths)

    def hold(self, program="pair-tls", env=None):
        return self.start(os.path.join(VM, program), "hold", env=env)

    def watch(self, *args):
        self.agent = Agent(self.agent_path, self.folder, args)
        return self.agent

    def finish(self):
        """(records, summary). Taking probes off takes a while: some 50 ms each."""
        return self.agent.finish(120)

    def folder_of(self, name, source):
        """A folder of its own for a copy of @source as libssl.so.3, by its bytes one that nobody has seen; the environment in
        which that is loaded."""
        os.makedirs(self.path(name))
        shutil.copyfile(source, self.path(name, "libssl.so.3"))
        with open(self.path(name, "libssl.so.3"), "ab") as f:
            f.write(os.urandom(8))
        return self.path(name, "libssl.so.3"), {"LD_LIBRARY_PATH": self.path(name)}

    def copy_of(self, program, name):
        """A copy of @program, by its bytes one that nobody has seen; its path."""
        shutil.copyfile(program, self.path(name))
        with open(self.path(name), "ab") as f:
            f.write(os.urandom(8))
        os.chmod(self.path(name), 0o755)
        return self.path(name)

    def pair(self, way="https", program="pair-tls", env=None, words=(), linger=0):
        """Calls between two processes, made now; judged by judge(). Their pids. @linger: seconds in which both live and say
        nothing; what they said before is not judged."""
        self.made += 1
        name = f"{self.made}.{way}"
        truth = self.path(f"truth.{name}")
        words = words or [os.path.join(VM, program)]
        proc = procs.start([*words, way, "25", str(self.made), truth, "100000"], self.path(f"pair.{name}.out"),
                           self.path(f"pair.{name}.err"), {**(env or {}), **({"PAIR_LATE": self.late(name)} if linger else {})})
        self.pairs.append((name, truth))
        if linger:
            procs.wait_for("the pair's early part", lambda: os.path.exists(self.path(name, "early")), proc)
            time.sleep(linger)
            open(self.path(name, "go"), "w", encoding="ascii").close()
        if procs.wait_end(proc, f"pair {name}", 90) != 0:
            raise procs.Trouble(f"pair {name}: {tail(self.path(f'pair.{name}.err'))}")
        with open(truth, encoding="ascii") as f:
            return {json.loads(line)["pid"] for line in f}

    def late(self, name):
        os.makedirs(self.path(name))
        return self.path(name)

    def judge(self, pairs=None):
        """Of the pairs, after finish(): every call exactly."""
        for name, truth in pairs or self.pairs:
            done = subprocess.run([os.path.join(VM, "check"), "-l", "-c", "tcp", "-t", "openssl", name, self.path("trace.jsonl"), self.path("agent.err"), truth],
                                  capture_output=True, text=True, check=False)
            if done.returncode != 0:
                yield done.stdout.strip()

    def load(self, env=None):
        """HTTPS load in Python and in Node.js."""
        key, cert = self.path("key.pem"), self.path("cert.pem")
        if not os.path.exists(cert):
            subprocess.run([self.tool("cert"), key, cert], check=True)
        peers = [self.start(sys.executable, os.path.join(HERE, "load.py"), key, cert, env=env)]
        if not env:
            peers.append(self.start(cells.node(), os.path.join(HERE, "load.mjs"), key, cert))
        return peers

    def unload(self, peers):
        """What went wrong in the peers."""
        total = 0
        for peer in peers:
            said = json.loads(self.end(peer))
            total += said["requests"]
            if said["failed"] or not said["requests"]:
                yield f"{os.path.basename(peer.args[0])}: {said['failed']} of {said['requests']} requests failed, first {said['first']}"
        self.note += f"{total} requests"

    def probed(self, proc, path):
        """The agent has probes in @path, which @proc maps. Others who have some there do not count."""
        files = probed_files(family(self.agent.proc.pid))
        return (files is None or path in files) and bool(probes(proc.pid, os.path.basename(path)).get(path))

    def settle(self):
        """Until whatever was started before this was looked at: a library that nobody has seen yet is probed."""
        self.copies += 1
        path, _ = self.folder_of(f"settle.{self.copies}", self.libssl)
        mapper = self.map(path)
        if not until(lambda: self.probed(mapper, path), SWEEP):
            raise procs.Trouble("a new library was not probed")
        self.end(mapper)

    def clean(self):
        """Ends what the row left. File servers last: who waits for one cannot be killed."""
        if self.agent and self.agent.proc.poll() is None:
            self.agent.proc.send_signal(signal.SIGKILL)
        for proc in reversed(self.started):
            if proc.poll() is not None:
                continue
            proc.stdin.close()
            try:
                proc.wait(10)
            except subprocess.TimeoutExpired:
                procs.stop(proc)


def ldd(path):
    out = subprocess.run(["/lib64/ld-linux-x86-64.so.2", "--list", path], capture_output=True, text=True, check=True).stdout
    return [word for word in out.split() if word.startswith("/")]


def maps(pid, path):
    return any(os.path.samefile(path, name) for _, _, _, name in mappings(pid) if os.path.exists(name))


def opaque(records, pids):
    """What was said of the TLS of these processes that is not read."""
    return [r for r in records if r["kind"] == "finding" and r["finding"] == "opaque_tls" and r["process"]["pid"] in pids]
