# SPDX-License-Identifier: Apache-2.0
"""Requests that curl makes. Each process of it is a client of its own in the truth."""
import os
import subprocess

from ledger import Ledger

# The shell says its pid by being there, and becomes curl once what will be sent is written down.
SHELL = ["sh", "-c", 'read -r _ && exec "$@"', "sh"]


def version(url):
    """Which HTTP: to an address without TLS, 2 is spoken without asking."""
    if os.environ.get("HTTP_VERSION") != "2":
        return "--http1.1"
    return "--http2" if url.startswith("https") else "--http2-prior-knowledge"


class Curl:
    def __init__(self, url, tmp, answer):
        self.url, self.tmp, self.answer, self.count = url, tmp, answer, 0

    def send(self, message, fields):
        return self.play([(message, fields)])[0]

    def at_once(self, requests):
        """One process: over HTTP/2 on one connection, else on one for each request. Without TLS curl 7.88 speaks HTTP/2
        only once in its life."""
        if version(self.url) == "--http2-prior-knowledge":
            return [self.send(*request) for request in requests]
        return self.play(requests)

    def play(self, requests):
        self.count += 1
        paths = [os.path.join(self.tmp, f"{self.count}-{n}") for n in range(len(requests))]
        words = ["curl", "--parallel"] if len(requests) > 1 else ["curl"]
        for n, (path, (message, fields)) in enumerate(zip(paths, requests)):
            with open(path, "w", encoding="utf-8") as f:
                f.write(message)
            words += (["--next"] if n else []) + self.words(path, fields)
        with subprocess.Popen([*SHELL, *words], stdin=subprocess.PIPE) as proc:
            ledger = Ledger("client")
            ledger.head["pid"] = proc.pid
            for message, _ in requests:
                ledger.out(message)
            proc.communicate(b"go\n")
        if proc.returncode != 0:
            raise RuntimeError(f"curl ended with {proc.returncode}")
        answers = [self.read(path) for path in paths]
        for answer, (message, _) in zip(answers, requests):
            answer.note(ledger, message)
        ledger.end()
        return answers

    def words(self, path, fields):
        headers = [word for name, value in fields.items() for word in ("-H", f"{name}: {value}")]
        return ["-sS", version(self.url), *headers, "-H", "Expect:", "--data-binary", "@" + path, "-D", path + ".head",
                "-o", path + ".body", self.url]

    def read(self, path):
        with open(path + ".head", encoding="latin-1") as f:
            first, *lines = f.read().splitlines()
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        body = ""
        if os.path.exists(path + ".body"):
            with open(path + ".body", encoding="utf-8") as f:
                body = f.read()
        return self.answer(int(first.split()[1]), fields.get("mcp-session-id"), body)

    def close(self):
        """Nothing is open between two requests."""
