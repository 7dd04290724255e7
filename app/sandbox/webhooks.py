"""Admin webhooks: registered by an administrator, signed with a secret.

Rules as Jira Cloud documents them, and as Data Center does without them:
https://developer.atlassian.com/cloud/jira/platform/webhooks/
"""

from __future__ import annotations

import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, Literal

from app.sandbox.outbox import Delivery, Happening, Shape

EVENTS = (
    "jira:issue_created",
    "jira:issue_updated",
    "jira:issue_deleted",
    "comment_created",
    "comment_updated",
    "comment_deleted",
)
OPTIONAL_EVENTS = ("issuelink_created", "issuelink_deleted")
RETRIES = 5
SECONDS = 20.0


def check_events(events: frozenset[str]) -> None:
    unknown = events - set(EVENTS) - set(OPTIONAL_EVENTS)
    if unknown:
        raise ValueError(f"unknown webhook events: {', '.join(sorted(unknown))}")


def as_bytes(content: Any) -> bytes:
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def identity(delivery: Delivery, flow: str) -> dict[str, str]:
    """The headers by which Cloud lets a receiver tell one delivery from another."""
    sent = {
        "User-Agent": "Atlassian Webhook HTTP Client (sandbox)",
        "X-Atlassian-Webhook-Identifier": delivery.identifier,
        "X-Atlassian-Webhook-Flow": flow,
    }
    if delivery.attempts:
        sent["X-Atlassian-Webhook-Retry"] = str(len(delivery.attempts))
    return sent


@dataclass(frozen=True, slots=True)
class Webhook:
    """A registered receiver; an empty secret sends no signature. `projects`: all when empty.

    identified: Cloud's headers go along; Data Center has none of them.
    """

    id: int
    url: str
    secret: str = ""
    events: frozenset[str] = frozenset(EVENTS)
    projects: frozenset[str] = frozenset()
    flow: Literal["Primary", "Secondary"] = "Primary"
    identified: bool = True

    @property
    def shape(self) -> Shape:
        return "webhook"

    @property
    def retries(self) -> int:
        return RETRIES

    @property
    def seconds(self) -> float:
        return SECONDS

    def wants(self, event: str, happening: Happening) -> bool:
        return event in self.events and (not self.projects or happening.project in self.projects)

    def encode(self, content: Any) -> bytes:
        return as_bytes(content)

    def headers(self, delivery: Delivery) -> dict[str, str]:
        agent = {"User-Agent": "Atlassian HttpClient / JIRA-10 (sandbox)"}
        sent = identity(delivery, self.flow) if self.identified else agent
        if self.secret:
            digest = hmac.new(self.secret.encode(), delivery.body, hashlib.sha256).hexdigest()
            sent["X-Hub-Signature"] = f"sha256={digest}"
        return sent
