"""A program that takes webhooks in: keeps what came, answers as told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the test"


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed(self, secret: str = SECRET) -> bool:
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers.get("x-hub-signature", ""), f"sha256={digest}")


@dataclass
class Receiver:
    """`answers` are used up one by one, then every request gets 200. A number is a status,
    "drop" closes the connection, a float is seconds of silence."""

    url: str = ""
    answers: list[int | float | str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        return [entry.payload["webhookEvent"] for entry in self.received]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.received.append(Received(headers, body))
            answer = receiver.answers.pop(0) if receiver.answers else 200
            if answer == "drop":
                self.close_connection = True
                return
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            self.send_response(int(answer))
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_port}/hooks"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
