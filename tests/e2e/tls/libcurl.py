# SPDX-License-Identifier: Apache-2.0
"""Requests by libcurl with GnuTLS, as Debian's git uses it: one handle, which keeps its connection."""
import ctypes
import os
import threading

from ledger import Ledger

URL, POSTFIELDS, HTTPHEADER, CAINFO, POSTFIELDSIZE = 10002, 10015, 10023, 10065, 60
WRITE, HEADER, VERSION, STATUS = 20011, 20079, 84, 0x200002
VERSIONS = {"2": 4}  # CURL_HTTP_VERSION_2TLS
HTTP_1_1 = 2
FUNCTION = ctypes.CFUNCTYPE(ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_size_t, ctypes.c_void_p)


def library():
    lib = ctypes.CDLL("libcurl-gnutls.so.4")
    lib.curl_easy_init.restype = ctypes.c_void_p
    lib.curl_slist_append.restype = ctypes.c_void_p
    lib.curl_slist_append.argtypes = [ctypes.c_void_p, ctypes.c_char_p]
    lib.curl_slist_free_all.argtypes = lib.curl_easy_perform.argtypes = lib.curl_easy_cleanup.argtypes = [ctypes.c_void_p]
    return lib


class Libcurl:
    def __init__(self, url, answer, lib=None):
        self.url, self.answer, self.lib = url, answer, lib or library()
        self.handle = ctypes.c_void_p(self.lib.curl_easy_init())
        self.head, self.body = bytearray(), bytearray()
        self.keep = [self.into(self.head), self.into(self.body)]
        self.ledger = Ledger("client")
        self.set(URL, url.encode())
        self.set(CAINFO, os.environ["SSL_CERT_FILE"].encode())
        self.set(VERSION, ctypes.c_long(VERSIONS.get(os.environ.get("HTTP_VERSION"), HTTP_1_1)))
        self.set(HEADER, self.keep[0])
        self.set(WRITE, self.keep[1])

    @staticmethod
    def into(room):
        def add(data, size, n, _):
            room.extend(ctypes.string_at(data, size * n))
            return size * n
        return FUNCTION(add)

    def set(self, option, value):
        if self.lib.curl_easy_setopt(self.handle, ctypes.c_int(option), value):
            raise RuntimeError(f"libcurl refuses option {option}")

    def send(self, message, fields):
        self.ledger.out(message)
        body, lines = message.encode(), None
        for line in [*(f"{name}: {value}" for name, value in fields.items()), "Expect:"]:
            lines = self.lib.curl_slist_append(lines, line.encode())
        self.set(HTTPHEADER, ctypes.c_void_p(lines))
        self.set(POSTFIELDS, body)
        self.set(POSTFIELDSIZE, ctypes.c_long(len(body)))
        self.head.clear()
        self.body.clear()
        err = self.lib.curl_easy_perform(self.handle)
        self.lib.curl_slist_free_all(lines)
        if err:
            raise RuntimeError(f"libcurl says {err}")
        answer = self.read()
        answer.note(self.ledger, message)
        return answer

    def read(self):
        first, *lines = self.head.decode("latin-1").splitlines()
        fields = {k.strip().lower(): v.strip() for k, _, v in (line.partition(":") for line in lines)}
        return self.answer(int(first.split()[1]), fields.get("mcp-session-id"), self.body.decode())

    def at_once(self, requests):
        """Each on a connection and a thread of its own."""
        links = [Libcurl(self.url, self.answer, self.lib) for _ in requests]
        threads = [threading.Thread(target=link.send, args=request) for link, request in zip(links, requests)]
        for thread in threads:
            thread.start()
        for link, thread in zip(links, threads):
            thread.join()
            link.close()

    def close(self):
        self.lib.curl_easy_cleanup(self.handle)
        self.ledger.end()
