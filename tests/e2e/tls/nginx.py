#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""nginx in front of MCP servers: it ends the clients' TLS and speaks plain HTTP to the server. Each call of the client is told once,
for both hops, in whichever order these were decoded; what is no call of a tool, resource or prompt, on either.

    tests/e2e/tls/nginx.py [--agent FILE]

A line per row, then "N passed, N failed"; RESULTS as everywhere."""
import argparse
import os
import shutil
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), os.path.join(os.path.dirname(HERE), "logical")]
sys.dont_write_bytecode = True
import cells  # noqa: E402
import procs  # noqa: E402
from agent import Agent, tail  # noqa: E402
from compare import ABSENT, ANSWERED, check_summary, compare, losses, numbering, read_lines  # noqa: E402
from judge import own  # noqa: E402

OUT = os.path.join(cells.ROOT, "build", "nginx")
NGINX = os.path.join(cells.PEERS, "nginx", "usr", "sbin", "nginx")
ROWS = [("pyasync", "node22", "1.1"), ("node26", "pyasync", "2"), ("node22", "node22", "1.1"), ("pyasync", "pyasync", "2")]
ERAS = ("legacy", "modern")
CONF = """
daemon off; user root; worker_processes 1; pid {tmp}/pid; error_log stderr warn;
events {{ }}
http {{
	access_log off; client_max_body_size 0;
	client_body_temp_path {tmp}/body; proxy_temp_path {tmp}/proxy; fastcgi_temp_path {tmp}/fastcgi;
	uwsgi_temp_path {tmp}/uwsgi; scgi_temp_path {tmp}/scgi;
	server {{
		listen 127.0.0.1:{port} ssl http2;
		ssl_certificate {tls}/leaf.pem; ssl_certificate_key {tls}/key.pem;
		location / {{
			proxy_pass http://127.0.0.1:{behind}; proxy_http_version 1.1; proxy_set_header Connection "";
			proxy_buffering off; proxy_request_buffering off; proxy_read_timeout 1h;
		}}
	}}
}}
"""


class Row:
    def __init__(self, programs, row, era, agent):
        self.client, self.server, self.http = programs[row[0]], programs[row[1]], row[2]
        self.name = f"{row[0]} - nginx - {row[1]}, {'h2' if self.http == '2' else 'https'}, {era}"
        self.era, self.agent = era, agent
        self.folder = os.path.join(OUT, self.name.replace(" ", ""))
        shutil.rmtree(self.folder, ignore_errors=True)
        os.makedirs(self.path("tmp"))
        self.port, self.behind = procs.free_port(), procs.free_port()

    def path(self, name):
        return os.path.join(self.folder, name)

    def words(self, program, role):
        values = {"transport": "http", "era": self.era, "port": self.behind, "tmp": self.path("tmp"), "http": self.http,
                  "url": f"https://127.0.0.1:{self.port}/mcp", "sdk": "2" if self.era == "modern" else "1"}
        return program.words(role, "http", values), program.env(values)

    def start(self, name, words, env, port=None):
        truth = {"TRUTH": self.path(f"{name}.jsonl")}
        open(truth["TRUTH"], "w", encoding="ascii").close()
        proc = procs.start(words, self.path(f"{name}.out"), self.path(f"{name}.err"), {**env, **truth})
        if port:
            procs.wait_for(f"{name} on port {port}", lambda: procs.listening(port), proc)
        return proc

    def start_nginx(self):
        """Its pid, and its worker's."""
        with open(self.path("conf"), "w", encoding="ascii") as f:
            f.write(CONF.format(tmp=self.path("tmp"), port=self.port, behind=self.behind, tls=cells.TLS))
        proc = self.start("nginx", [NGINX, "-c", self.path("conf"), "-e", "stderr"], {}, self.port)
        procs.wait_for("nginx's worker", lambda: children(proc.pid), proc)
        return proc, children(proc.pid)[0]

    def play(self):
        client, client_env = self.words(self.client, "client")
        server, server_env = self.words(self.server, "server")
        hold = [sys.executable, os.path.join(HERE, "hold.py"), NGINX, shutil.which(client[0])]
        holder = procs.start(hold, self.path("hold.out"), self.path("hold.err"))
        procs.wait_for("holder", lambda: os.path.getsize(self.path("hold.out")), holder)
        agent = Agent(self.agent, self.folder)
        behind = self.start("server", server, server_env, self.behind)
        nginx, worker = self.start_nginx()
        trust = {name: os.path.join(cells.TLS, "ca.pem") for name in cells.TRUST}
        asks = self.start("client", client, {**trust, **client_env, "HTTP_VERSION": self.http, "WORK": "plain"})
        code = procs.wait_end(asks, "client", 60)
        for proc in (nginx, behind):
            procs.stop(proc)
        time.sleep(0.3)
        trace, summary = agent.finish()
        if code != 0:
            raise procs.Trouble(f"client ended with {code}: {tail(self.path('client.err'))}")
        return self.judge(worker, trace, summary)

    def judge(self, worker, trace, summary):
        asked, answered = read_lines(self.path("client.jsonl")), read_lines(self.path("server.jsonl"))
        if not any(line["t"] == "call" for line in asked):
            raise procs.Trouble("the truth holds no call")
        expect = {"transport": "http", "channel": "tcp", "era": self.era, "ends": "both", "http": self.http,
                  "tls": self.client.row.get("tls", "openssl")}
        client = {line["pid"] for line in asked}
        front, back = own(trace, client), own([r for r in trace if r.get("client", {}).get("pid") not in client], {worker})
        merged = {r["id"] for r in front if r.get("hops") == 1}
        tools = [r for r in front if r["kind"] == "call" and r["method"] == "tools/call" and r["outcome"] in ANSWERED]
        apart = [r["id"] for r in tools if r["id"] not in merged]
        behind = [line for line in [*as_pid(asked, worker), *answered] if line.get("id") not in merged]
        return [*(f"call {ident} is told for one hop alone" for ident in apart), *losses(trace), *numbering(trace),
                *check_summary(summary, trace), *compare(asked, front, worker, expect),
                *compare(behind, back, None, {**expect, "http": "1.1", "tls": ABSENT})]


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(word) for word in f.read().split()]


def as_pid(lines, pid):
    """What one end of a hop did, done by another."""
    return [{**line, "pid": pid} for line in lines]


def report(row):
    try:
        diffs = row.play()
    except procs.Trouble as e:
        diffs = [str(e)]
    finally:
        procs.reap()
    print(f"{'FAIL' if diffs else 'ok  '}  {row.name}", flush=True)
    for diff in diffs[:6]:
        print(f"      {diff[:300]}")
    return not diffs


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--agent", default=os.path.join(cells.ROOT, "build", "mcpvigil"))
    options = parser.parse_args()
    procs.adopt_orphans()
    count = [0, 0, 0]
    if not os.path.exists(NGINX):
        print(f"skip  nginx: {os.path.relpath(NGINX, cells.ROOT)} is not installed (tests/e2e/setup)")
        count[2] += 1
    else:
        programs = cells.programs()
        for row in ROWS:
            for era in ERAS:
                count[not report(Row(programs, row, era, os.path.abspath(options.agent)))] += 1
    print(f"{count[0]} passed, {count[1]} failed" + (f", {count[2]} skipped" if count[2] else ""))
    if os.environ.get("RESULTS"):
        with open(os.environ["RESULTS"], "a", encoding="ascii") as f:
            print(*count, file=f)
    return 1 if count[1] else 0


if __name__ == "__main__":
    sys.exit(main())
