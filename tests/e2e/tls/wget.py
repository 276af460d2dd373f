# SPDX-License-Identifier: Apache-2.0
"""Requests that wget makes, or Ruby, over HTTP/1.1, each by a process, which is a client of its own in the truth."""
import os
import subprocess

from curl import SHELL
from ledger import Ledger


HERE = os.path.dirname(os.path.abspath(__file__))


class Wget:
    def __init__(self, url, tmp, answer):
        self.url, self.tmp, self.answer, self.count = url, tmp, answer, 0

    def send(self, message, fields):
        return self.at_once([(message, fields)])[0]

    def at_once(self, requests):
        return [self.end(*one) for one in [self.begin(*request) for request in requests]]

    def begin(self, message, fields):
        self.count += 1
        path = os.path.join(self.tmp, str(self.count))
        with open(path, "w", encoding="utf-8") as f:
            f.write(message)
        # What is sent is written down before the shell becomes wget.
        proc = subprocess.Popen([*SHELL, *self.words(path, fields)], stdin=subprocess.PIPE)
        ledger = Ledger("client")
        ledger.head["pid"] = proc.pid
        ledger.out(message)
        proc.stdin.write(b"go\n")
        proc.stdin.close()
        return proc, ledger, message, path

    def end(self, proc, ledger, message, path):
        if proc.wait() not in (0, 8):  # 8: a status of 400 or more
            raise RuntimeError(f"{type(self).__name__} ended with {proc.returncode}")
        answer = self.read(path)
        answer.note(ledger, message)
        ledger.end()
        return answer

    def words(self, path, fields):
        headers = [f"--header={name}: {value}" for name, value in fields.items()]
        return ["wget", "--no-config", "--no-hsts", "--no-proxy", "--tries=1", "--content-on-error", "-nv", "-S", *headers,
                "--ca-certificate=" + os.environ["SSL_CERT_FILE"], "--post-file=" + path, "-o", path + ".head",
                "-O", path + ".body", self.url]

    def read(self, path):
        with open(path + ".head", encoding="latin-1") as f:
            lines = [line.strip() for line in f if line.startswith("  ")]
        fields = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        with open(path + ".body", encoding="utf-8") as f:
            return self.answer(int(lines[0].split()[1]), fields.get("mcp-session-id"), f.read())

    def close(self):
        """Nothing is open between two requests."""


class Ruby(Wget):
    def words(self, path, fields):
        return ["ruby", os.path.join(HERE, "post.rb"), self.url, path, *(f"{name}: {value}" for name, value in fields.items())]
