"""An Automation rule with the action "Send web request": no signature, no second try.

Its body is what the rule's author typed, with smart values filled in:
https://support.atlassian.com/cloud-automation/docs/jira-automation-actions/
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.sandbox.outbox import Delivery, Happening, Shape

HEADER = "X-Signalbox-Token"
SECONDS = 30.0
EVENTS = frozenset({"created", "updated", "commented"})
BODY = json.dumps(
    {
        "webhookEvent": "jira:issue_updated",
        "issue": {"id": "{{issue.id}}", "key": "{{issue.key}}"},
        "comment": {"id": "{{comment.id}}"},
    }
)
"""What our own guide tells the rule's author to type."""
_SMART = re.compile(r"\{\{\s*([A-Za-z0-9_.]+)\s*\}\}")


@dataclass(frozen=True, slots=True)
class Rule:
    """template: the body; a smart value that does not exist becomes nothing, as in Jira."""

    id: int
    url: str
    token: str
    template: str = BODY

    @property
    def shape(self) -> Shape:
        return "rule"

    @property
    def retries(self) -> int:
        return 0

    @property
    def seconds(self) -> float:
        return SECONDS

    def wants(self, event: str, happening: Happening) -> bool:
        return event in EVENTS

    def encode(self, content: Any) -> bytes:
        facts: Mapping[str, str] = content
        return _SMART.sub(lambda found: _value(facts.get(found[1], "")), self.template).encode()

    def headers(self, delivery: Delivery) -> dict[str, str]:
        return {HEADER: self.token, "User-Agent": "Automation for Jira (sandbox)"}


def _value(text: str) -> str:
    """As the smart value's function asJsonString leaves it, without the quotes around it."""
    return json.dumps(text, ensure_ascii=False)[1:-1]
