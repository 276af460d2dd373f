# SPDX-License-Identifier: Apache-2.0
"""Requests by the libcurl of curl_cffi, which is linked with BoringSSL and stripped: each on a connection of its own, so that
one is made where the one before was freed."""
import os
import threading

from curl_cffi import CurlHttpVersion, Session
from ledger import Ledger


class Impersonate:
    def __init__(self, url, answer):
        self.url, self.answer, self.ledger = url, answer, Ledger("client")
        self.version = CurlHttpVersion.V2TLS if os.environ.get("HTTP_VERSION") == "2" else CurlHttpVersion.V1_1

    def send(self, message, fields):
        self.ledger.out(message)
        with Session(verify=os.environ["SSL_CERT_FILE"], http_version=self.version) as session:
            got = session.post(self.url, data=message.encode(), headers=fields)
        answer = self.answer(got.status_code, got.headers.get("mcp-session-id"), got.text)
        answer.note(self.ledger, message)
        return answer

    def at_once(self, requests):
        """Each by a thread of its own."""
        links = [Impersonate(self.url, self.answer) for _ in requests]
        threads = [threading.Thread(target=link.send, args=request) for link, request in zip(links, requests)]
        for thread in threads:
            thread.start()
        for link, thread in zip(links, threads):
            thread.join()
            link.close()

    def close(self):
        self.ledger.end()
