"""A scripted model on loopback: the Messages API as far as clients use it, counting every token.

`SCENARIO:name` in the first user message chooses the script; the step is the number of assistant
messages so far, so a resumed talk goes on by itself. `CWD:path` says where the files are.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.fakes.judge_script import JudgeScript
from tests.fakes.messages_script import FAULTS, SCRIPTS, Step

KEY = "sk-ant-fake0000"


@dataclass(frozen=True)
class FakeCall:
    """One request as the fake bills it. side: a request without tools, such as for a title."""

    message_id: str
    model: str
    fresh: int
    written: int
    read: int
    out: int
    side: bool
    finished: bool

    @property
    def tokens(self) -> tuple[str, str, int, int, int, int]:
        return (self.message_id, self.model, self.fresh, self.written, self.read, self.out)


@dataclass
class FakeMessagesApi:
    """`with FakeMessagesApi() as api`. calls: what was billed; seen: every request's path."""

    key: str = KEY
    pause: float = 0.0
    calls: list[FakeCall] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    bodies: list[dict[str, Any]] = field(default_factory=list)
    headers: list[dict[str, str]] = field(default_factory=list)
    usage: Callable[[int, int], dict[str, int]] | None = None
    judge: JudgeScript = field(default_factory=JudgeScript)

    def __enter__(self) -> FakeMessagesApi:
        api = self

        class Handler(_Handler):
            fake = api

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._lock = threading.Lock()
        self._number = 0
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def next_id(self) -> str:
        with self._lock:
            self._number += 1
            return f"msg_fake{self._number:06}"

    def bill(self, message: dict[str, Any], *, side: bool, finished: bool) -> None:
        usage = message["usage"]
        with self._lock:
            self.calls.append(
                FakeCall(
                    message["id"],
                    message["model"],
                    usage["input_tokens"],
                    usage["cache_creation_input_tokens"],
                    usage["cache_read_input_tokens"],
                    usage["output_tokens"],
                    side,
                    finished,
                )
            )

    def counts(self, size: int, most: int) -> dict[str, int]:
        """Never more input tokens than the request has bytes, as with a real tokenizer."""
        if self.usage is not None:
            return self.usage(size, most)
        total = size // 3
        written, fresh = total // 11, total // 37
        return {
            "input_tokens": fresh,
            "cache_creation_input_tokens": written,
            "cache_read_input_tokens": total - written - fresh,
            "output_tokens": min(most, 5003),
        }


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeMessagesApi

    def log_message(self, *_arguments: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._json(200, None)

    def do_GET(self) -> None:
        path = self.path.split("/")
        if path[-1] in self.fake.judge.batches:
            self._json(200, self.fake.judge.status(path[-1], self.fake.url))
            return
        if path[-1] == "results":
            self._results(self.fake.judge.batches[path[-2]])
            return
        self._json(404, {"type": "error", "error": {"type": "not_found_error", "message": "no"}})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.loads(raw)
        path = self.path.partition("?")[0]
        self.fake.seen.append(path)
        self.fake.headers.append({name.lower(): value for name, value in self.headers.items()})
        bearer = self.headers.get("authorization", "").removeprefix("Bearer ")
        if self.headers.get("x-api-key", bearer) != self.fake.key:
            self._fault(401)
        elif path.endswith("/count_tokens"):
            counts = self.fake.counts(len(raw), 1)
            total = sum(value for name, value in counts.items() if name != "output_tokens")
            self._json(200, {"input_tokens": total})
        elif path.endswith("/batches"):
            batch = f"msgbatch_{len(self.fake.judge.batches)}"
            self.fake.judge.batches[batch] = body["requests"]
            self._json(200, self.fake.judge.status(batch, self.fake.url))
        elif "format" in body.get("output_config", {}) and not body.get("stream"):
            self.fake.bodies.append(body)
            reply = self._judgement(body, len(raw))
            self._fault(reply) if isinstance(reply, int) else self._json(200, reply)
        else:
            self.fake.bodies.append(body)
            self._message(body, len(raw))

    def _judgement(self, body: dict[str, Any], size: int) -> dict[str, Any] | int:
        reply = self.fake.judge.reply(body)
        if isinstance(reply, int):
            return reply
        text, stop_reason = reply
        message = {
            "id": self.fake.next_id(),
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": [{"type": "text", "text": text}],
            "stop_reason": stop_reason,
            "stop_sequence": None,
            "usage": self.fake.counts(size, body["max_tokens"]),
        }
        self.fake.bill(message, side=True, finished=True)
        time.sleep(self.fake.pause)
        return message

    def _results(self, requests: list[dict[str, Any]]) -> None:
        """One line a request, the last one first: their order is not promised."""
        lines = []
        for request in reversed(requests):
            reply = self._judgement(request["params"], len(json.dumps(request)))
            result: dict[str, Any] = {"type": "succeeded", "message": reply}
            if isinstance(reply, int):
                error = {"type": "error", "error": {"type": "api_error", "message": "no"}}
                result = {"type": "errored", "error": error}
            lines.append(json.dumps({"custom_id": request["custom_id"], "result": result}))
        data = "\n".join(lines).encode()
        self.send_response(200)
        self.send_header("content-type", "application/x-jsonl")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def _message(self, body: dict[str, Any], size: int) -> None:
        text = json.dumps(body["messages"])
        found = re.search(r"SCENARIO:(\w+)", text)
        name = found.group(1) if found else "hello"
        side = not body.get("tools")
        if name in FAULTS and not side:
            self._fault(FAULTS[name])
            return
        place = re.search(r"CWD:([^\s\"\\]+)", text)
        steps = sum(message["role"] == "assistant" for message in body["messages"])
        step = (
            Step(text="A title") if side else SCRIPTS[name](steps, place.group(1) if place else "")
        )
        message = {
            "id": self.fake.next_id(),
            "type": "message",
            "role": "assistant",
            "model": body["model"],
            "content": step.content(f"toolu_{size}_{steps}"),
            "stop_reason": "tool_use" if step.tool else "end_turn",
            "stop_sequence": None,
            "usage": self.fake.counts(size, body["max_tokens"]),
        }
        if body.get("stream"):
            self._stream(message, step, side=side)
        else:
            self.fake.bill(message, side=side, finished=True)
            self._json(200, message)

    def _stream(self, message: dict[str, Any], step: Step, *, side: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream; charset=utf-8")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()
        events = list(_events(message))
        cut = len(events) // 2 if step.cut else len(events)
        self.fake.bill(message, side=side, finished=not step.cut)
        try:
            for event in events[:cut]:
                time.sleep(step.pause or self.fake.pause)
                data = f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode()
                self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
                self.wfile.flush()
            if step.cut:
                self.close_connection = True
            else:
                self.wfile.write(b"0\r\n\r\n")
        except OSError:
            self.close_connection = True

    def _fault(self, status: int) -> None:
        kinds = {
            401: "authentication_error",
            402: "billing_error",
            429: "rate_limit_error",
            529: "overloaded_error",
        }
        kind = kinds.get(status, "api_error")
        self._json(status, {"type": "error", "error": {"type": kind, "message": f"fake {status}"}})

    def _json(self, status: int, content: dict[str, Any] | None) -> None:
        data = b"" if content is None else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


def _events(message: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The opening event says one output token; only the message_delta tells the true count."""
    opening = {**message["usage"], "output_tokens": 1}
    start = {**message, "content": [], "stop_reason": None, "usage": opening}
    yield {"type": "message_start", "message": start}
    yield {"type": "ping"}
    for index, block in enumerate(message["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": empty}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    delta = {"stop_reason": message["stop_reason"], "stop_sequence": None}
    yield {"type": "message_delta", "delta": delta, "usage": message["usage"]}
    yield {"type": "message_stop"}
