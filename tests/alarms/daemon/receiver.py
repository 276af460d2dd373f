# SPDX-License-Identifier: Apache-2.0
"""Stands for an Alertmanager or a webhook: keeps what is posted to it, and misbehaves when told to."""
import json
import socket
import threading
import time

import procs


class Receiver:
    """@mode: ok; error (500); hang (accepts and says nothing); half (closes its direction and reads on); refused (nobody
    listens)."""

    def __init__(self, mode="ok"):
        self.port, self.got, self.held, self.listener = procs.free_port(), [], [], None
        self.raw = b""  # all that was received
        self.set(mode)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.set("refused")

    def set(self, mode):
        self.mode = mode
        for conn in self.held:
            conn.close()
        self.held = []
        if mode == "refused" and self.listener:
            self.listener.shutdown(socket.SHUT_RDWR)
            self.listener.close()
            self.listener = None
        if mode != "refused" and not self.listener:
            self.listener = socket.create_server(("127.0.0.1", self.port), backlog=16)
            threading.Thread(target=self.accept, args=(self.listener,), daemon=True).start()

    def accept(self, listener):
        while True:
            try:
                conn = listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self.serve, args=(conn, self.mode), daemon=True).start()

    def serve(self, conn, mode):
        conn.settimeout(60)
        try:
            if mode in ("hang", "half"):
                self.held.append(conn)
                if mode == "half":
                    conn.shutdown(socket.SHUT_WR)
                while conn.recv(65536):
                    pass
                return
            head, body = self.request(conn)
            answer = b"500 Broken" if mode == "error" else b"200 OK"
            if mode == "ok":
                self.got.append((time.monotonic(), head, body))
            conn.sendall(b"HTTP/1.1 " + answer + b"\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
            conn.close()
        except OSError:
            conn.close()

    def request(self, conn):
        """({name: value} with the first line as "", body)"""
        data = b""
        while b"\r\n\r\n" not in data:
            data += self.more(conn)
        head, body = data.split(b"\r\n\r\n", 1)
        first, *lines = head.decode().split("\r\n")
        fields = {"": first, **{k.lower(): v for k, v in (line.split(": ", 1) for line in lines)}}
        while len(body) < int(fields["content-length"]):
            body += self.more(conn)
        return fields, body

    def more(self, conn):
        chunk = conn.recv(65536)
        if not chunk:
            raise OSError
        self.raw += chunk
        return chunk

    def alerts(self, **labels):
        """(when, head, alert) of every alert that came with these labels; both bodies that there are."""
        for when, head, body in list(self.got):
            found = json.loads(body)
            for alert in found if isinstance(found, list) else found["alerts"]:
                if labels.items() <= alert["labels"].items():
                    yield when, head, alert
