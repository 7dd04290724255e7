"""Admin webhooks going out: signed, in order, retried, each delivery kept for inspection.

Rules as Jira Cloud documents them:
https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import hashlib
import heapq
import hmac
import json
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Literal
from uuid import uuid4

import httpx

EVENTS = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
)
OPTIONAL_EVENTS = ("issuelink_created", "issuelink_deleted")
RETRIED = frozenset({408, 409, 425, 429, *range(500, 600)})


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered receiver; an empty secret sends no signature. `projects`: all when empty."""

    id: int
    url: str
    secret: str = ""
    events: frozenset[str] = frozenset(EVENTS)
    projects: frozenset[str] = frozenset()
    flow: Literal["Primary", "Secondary"] = "Primary"

    def wants(self, event: str, project: str) -> bool:
        return event in self.events and (not self.projects or project in self.projects)


@dataclass(slots=True)
class Delivery:
    """One event for one receiver. `state`: waiting, delivered, refused (not retried), failed."""

    identifier: str
    webhook: Webhook
    event: str
    issue_key: str
    body: bytes
    state: Literal["waiting", "delivered", "refused", "failed"] = "waiting"
    attempts: list[str] = field(default_factory=list)

    @property
    def status(self) -> str:
        """Outcome of the last attempt: an HTTP status or the name of an error."""
        return self.attempts[-1] if self.attempts else ""

    def payload(self) -> dict[str, Any]:
        return dict(json.loads(self.body))

    def headers(self) -> dict[str, str]:
        out = {
            "Content-Type": "application/json; charset=utf-8",
            "User-Agent": "Atlassian Webhook HTTP Client (sandbox)",
            "X-Atlassian-Webhook-Identifier": self.identifier,
            "X-Atlassian-Webhook-Flow": self.webhook.flow,
            "X-Sandbox": "true",
        }
        if self.webhook.secret:
            digest = hmac.new(self.webhook.secret.encode(), self.body, hashlib.sha256).hexdigest()
            out["X-Hub-Signature"] = f"sha256={digest}"
        if self.attempts:
            out["X-Atlassian-Webhook-Retry"] = str(len(self.attempts))
        return out


@cache
def _tls() -> ssl.SSLContext:
    """Made once: reading the certificates takes longer than starting a sandbox."""
    return ssl.create_default_context()


class Outbox:
    """Sends deliveries from one thread. First tries keep the order of the changes; one that has
    to be tried again waits for its delay and holds nobody up, as in Jira.

    delays: seconds before each further try (Jira takes minutes). timeout: seconds for an answer.
    """

    def __init__(self) -> None:
        self.delays: tuple[float, ...] = (0.5, 1.0, 2.0, 5.0, 15.0)
        self.timeout = 20.0
        self.webhooks: list[Webhook] = []
        self.deliveries: list[Delivery] = []
        self._changed = threading.Condition()
        self._due: list[tuple[float, int, Delivery]] = []
        self._busy = False
        self._number = 0
        self._thread: threading.Thread | None = None

    def register(
        self,
        url: str,
        secret: str = "",
        events: Iterable[str] = EVENTS,
        projects: Iterable[str] = (),
    ) -> Webhook:
        chosen = frozenset(events)
        unknown = chosen - set(EVENTS) - set(OPTIONAL_EVENTS)
        if unknown:
            raise ValueError(f"unknown webhook events: {', '.join(sorted(unknown))}")
        with self._changed:
            number = max((hook.id for hook in self.webhooks), default=0) + 1
            hook = Webhook(number, url, secret, chosen, frozenset(projects))
            self.webhooks.append(hook)
            self._start()
        return hook

    def unregister(self, webhook_id: int) -> None:
        with self._changed:
            self.webhooks = [hook for hook in self.webhooks if hook.id != webhook_id]

    def publish(self, event: str, project: str, issue_key: str, payload: Mapping[str, Any]) -> None:
        """Queue an event for every receiver that asked for it."""
        body = b""
        for hook in [hook for hook in self.webhooks if hook.wants(event, project)]:
            body = body or json.dumps(payload, ensure_ascii=False, separators=(",", ":")).encode()
            delivery = Delivery(uuid4().hex, hook, event, issue_key, body)
            with self._changed:
                self.deliveries.append(delivery)
                self._queue(delivery, 0.0)

    def wanted(self) -> bool:
        """Whether anybody listens, so that no payload is built for nobody."""
        return bool(self.webhooks)

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
            self.webhooks, self.deliveries, self._due = [], [], []
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
            if self.webhooks or self._due:
                self._start()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="sandbox-webhooks", daemon=True)
            self._thread.start()

    def _queue(self, delivery: Delivery, delay: float) -> None:
        self._number += 1
        heapq.heappush(self._due, (time.monotonic() + delay, self._number, delivery))
        self._start()
        self._changed.notify_all()

    def _run(self) -> None:
        # A fresh connection each time: the receiver may have been restarted in between.
        limits = httpx.Limits(max_keepalive_connections=0)
        with httpx.Client(verify=_tls(), limits=limits, trust_env=False) as client:
            while (delivery := self._next()) is not None:
                self._finish(delivery, self._attempt(client, delivery))

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

    def _attempt(self, client: httpx.Client, delivery: Delivery) -> int | str:
        try:
            answer = client.post(
                delivery.webhook.url,
                content=delivery.body,
                headers=delivery.headers(),
                timeout=httpx.Timeout(self.timeout, connect=min(5.0, self.timeout)),
            )
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return type(error).__name__
        return answer.status_code

    def _finish(self, delivery: Delivery, outcome: int | str) -> None:
        with self._changed:
            self._busy = False
            delivery.attempts.append(str(outcome))
            again = isinstance(outcome, str) or outcome in RETRIED
            if again and len(delivery.attempts) <= len(self.delays):
                self._queue(delivery, self.delays[len(delivery.attempts) - 1])
                return
            fine = isinstance(outcome, int) and 200 <= outcome < 300
            delivery.state = "delivered" if fine else "failed" if again else "refused"
            self._changed.notify_all()
