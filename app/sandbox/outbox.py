"""Deliveries going out of the sandbox: in order, retried as their channel is, each one kept."""

from __future__ import annotations

import heapq
import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal, Protocol
from uuid import uuid4

import httpx

RETRIED = frozenset({408, 409, 425, 429, *range(500, 600)})
Shape = Literal["webhook", "rule", "forge"]
Letter = tuple[str, Callable[[], Any]]
"""Name of an event, and what makes its content."""


@dataclass(frozen=True, slots=True)
class Happening:
    """Something happened to an issue, with its letters for every shape of channel.

    actor: account id of who did it.
    """

    project: str
    issue_key: str
    actor: str
    letters: Mapping[Shape, Sequence[Letter]]


class Channel(Protocol):
    """One receiver: what it wants and how it is written to. retries: further tries after a
    failed one. seconds: how long an answer may take."""

    @property
    def id(self) -> int: ...
    @property
    def url(self) -> str: ...
    @property
    def shape(self) -> Shape: ...
    @property
    def retries(self) -> int: ...
    @property
    def seconds(self) -> float: ...
    def wants(self, event: str, happening: Happening) -> bool: ...
    def encode(self, content: Any) -> bytes: ...
    def headers(self, delivery: Delivery) -> dict[str, str]: ...


@dataclass(slots=True)
class Delivery:
    """One event for one receiver. `state`: waiting, delivered, refused (not retried), failed."""

    identifier: str
    channel: Channel
    event: str
    issue_key: str
    actor: str
    body: bytes
    state: Literal["waiting", "delivered", "refused", "failed"] = "waiting"
    attempts: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Outcome of the last attempt: an HTTP status or the name of an error."""
        return self.attempts[-1] if self.attempts else ""

    def content(self) -> Any:
        """What the body says; text where an Automation rule's author wrote no JSON."""
        try:
            return json.loads(self.body)
        except ValueError:
            return self.body.decode()

    def headers(self) -> dict[str, str]:
        """As they stand for an attempt made now: tokens are short-lived."""
        sent = {"Content-Type": "application/json; charset=utf-8", "X-Sandbox": "true"}
        return sent | self.channel.headers(self)


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than starting a sandbox."""
    return ssl.create_default_context()


def client() -> httpx.Client:
    """A fresh connection each time: the receiver may have been restarted in between."""
    limits = httpx.Limits(max_keepalive_connections=0)
    return httpx.Client(verify=_tls(), limits=limits, trust_env=False)


class Outbox:
    """Sends deliveries from one thread. First tries keep the order of the changes; one that has
    to be tried again waits for its delay and holds nobody up, as in Jira.

    delays: seconds before each further try (Jira takes minutes). timeout: the most that an answer
    may take, whatever the channel grants. retries: False = nothing is ever sent twice.
    """

    def __init__(self, retries: bool = True) -> None:
        self.delays: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 15.0)
        self.timeout = 20.0
        self.channels: list[Channel] = []
        self.deliveries: list[Delivery] = []
        self._retries = retries
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Delivery]] = []
        self._busy = False
        self._number = 0
        self._last_id = 0
        self._thread: threading.Thread | None = None

    def number(self) -> int:
        """The id of the next channel."""
        with self._changed:
            self._last_id += 1
            return self._last_id

    def open(self, channel: Channel) -> None:
        with self._changed:
            self.channels.append(channel)
            self._start()

    def shut(self, channel_id: int) -> None:
        with self._changed:
            self.channels = [known for known in self.channels if known.id != channel_id]

    def publish(self, happening: Happening) -> None:
        """Queue it for every receiver that wants to know."""
        for channel in list(self.channels):
            for event, content in happening.letters.get(channel.shape, ()):
                if channel.wants(event, happening):
                    self.send(channel, event, happening, content())

    def send(self, channel: Channel, event: str, happening: Happening, content: Any) -> Delivery:
        body = channel.encode(content)
        delivery = Delivery(uuid4().hex, channel, event, happening.issue_key, happening.actor, body)
        with self._changed:
            self.deliveries.append(delivery)
            self._queue(delivery, 0.0)
        return delivery

    def wanted(self) -> bool:
        """Whether anybody listens, so that no content is made for nobody."""
        return bool(self.channels)

    def drain(self, timeout: float = 10.0) -> None:
        """Wait until every delivery has come to its end; TimeoutError if that takes too long."""
        with self._changed:
            if not self._changed.wait_for(lambda: not self._due and not self._busy, timeout):
                waiting = [d for d in self.deliveries if d.state == "waiting"]
                detail = ", ".join(f"{d.event} {d.issue_key} {d.attempts}" for d in waiting[:5])
                raise TimeoutError(f"{len(waiting)} deliveries open after {timeout} s: {detail}")

    def redeliver(self, delivery: Delivery) -> None:
        """Send one again under its own identifier, as Jira sometimes does."""
        with self._changed:
            delivery.state = "waiting"
            self._queue(delivery, 0.0)

    def clear(self) -> None:
        """Forget receivers and deliveries, open ones too."""
        with self._changed:
            self.channels, self.deliveries, self._due = [], [], []
            self._changed.notify_all()

    def close(self) -> None:
        """Stop sending; what is still open stays `waiting` until `resume`."""
        with self._changed:
            thread, self._thread = self._thread, None
            self._changed.notify_all()
        if thread is not None:
            thread.join(0.3)

    def resume(self) -> None:
        """Send again after `close`."""
        with self._changed:
            if self.channels or self._due:
                self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sandbox-outbox", daemon=True)
            self._thread.start()

    def _queue(self, delivery: Delivery, delay: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (time.monotonic() + delay, self._number, delivery))
        self._start()
        self._changed.notify_all()

    def _run(self) -> None:
        with client() as sender:
            while (delivery := self._next()) is not None:
                self._finish(delivery, self._attempt(sender, delivery))

    def _next(self) -> Delivery | None:
        with self._changed:
            while self._thread is threading.current_thread():
                if not self._due:
                    self._changed.wait()
                    continue
                wait = self._due[0][0] - time.monotonic()
                if wait <= 0:
                    self._busy = True
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)
        return None

    def _attempt(self, sender: httpx.Client, delivery: Delivery) -> int | str:
        seconds = min(self.timeout, delivery.channel.seconds)
        try:
            answer = sender.post(
                delivery.channel.url,
                content=delivery.body,
                headers=delivery.headers(),
                timeout=httpx.Timeout(seconds, connect=min(5.0, seconds)),
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__
        return answer.status_code

    def _finish(self, delivery: Delivery, outcome: int | str) -> None:
        with self._changed:
            self._busy = False
            delivery.attempts.append(str(outcome))
            again = isinstance(outcome, str) or outcome in RETRIED
            delays = self.delays[: delivery.channel.retries] if self._retries else ()
            if again and len(delivery.attempts) <= len(delays):
                self._queue(delivery, delays[len(delivery.attempts) - 1])
                return
            fine = isinstance(outcome, int) and 200 <= outcome < 300
            delivery.state = "delivered" if fine else "failed" if again else "refused"
            self._changed.notify_all()
