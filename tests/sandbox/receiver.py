"""A program that takes webhooks and an app's calls in: keeps what came, answers as told."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "a secret of the test"


@dataclass
class Received:
    headers: dict[str, str]
    body: bytes
    path: str = ""

    @property
    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def signed(self, secret: str = SECRET) -> bool:
        digest = hmac.new(secret.encode(), self.body, hashlib.sha256).hexdigest()
        return hmac.compare_digest(self.headers.get("x-hub-signature", ""), f"sha256={digest}")


@dataclass
class Receiver:
    """`answers` are used up one by one, then every request gets 200. A number is a status,
    "drop" closes the connection, a float is seconds of silence. documents: what GET finds by
    path, a text is a page. reply: makes the JSON of an answer with status 200."""

    url: str = ""
    root: str = ""
    documents: dict[str, Any] = field(default_factory=dict)
    reply: Callable[[Received], Any] | None = None
    answers: list[int | float | str] = field(default_factory=list)
    received: list[Received] = field(default_factory=list)

    @property
    def events(self) -> list[str]:
        return [entry.payload["webhookEvent"] for entry in self.received]

    def at(self, path: str) -> list[Received]:
        return [entry for entry in self.received if entry.path == path]


@contextmanager
def listening() -> Iterator[Receiver]:
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            found = receiver.documents.get(self.path.partition("?")[0])
            self._answer(404 if found is None else 200, found)

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            entry = Received(headers, body, self.path)
            receiver.received.append(entry)
            answer = receiver.answers.pop(0) if receiver.answers else 200
            if answer == "drop":
                self.close_connection = True
                return
            if isinstance(answer, float):
                time.sleep(answer)
                answer = 200
            made = receiver.reply(entry) if receiver.reply and answer == 200 else None
            self._answer(int(answer), made)

        def _answer(self, status: int, document: Any) -> None:
            page = isinstance(document, str)
            text = document if isinstance(document, str) else json.dumps(document)
            raw = b"" if document is None else text.encode()
            self.send_response(status)
            self.send_header("content-type", "text/html" if page else "application/json")
            self.send_header("content-length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, *arguments: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    receiver.root = f"http://127.0.0.1:{server.server_port}"
    receiver.url = f"{receiver.root}/hooks"
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
