"""What the scripted model answers when it is asked to judge a text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

from app.adapters.memory_judge import content

Reply = tuple[str, str]
"""The answer's text and its stop_reason."""


def told(answer: Any) -> Reply:
    return json.dumps(answer), "end_turn"


def quoting(body: dict[str, Any]) -> dict[str, Any]:
    """An answer that doubts the place, by the first long word of the ticket."""
    ticket = body["messages"][0]["content"].split("\n\n", 1)[1]
    words = re.findall(r"[\w/.]{6,}", ticket)
    return content(location=("unmet", 2, words[0]))


@dataclass
class JudgeScript:
    """replies: used one after another, the last one for ever. A number is an HTTP error.

    batches: what was handed in, by id; each is ready after `looks` looks at it.
    """

    replies: list[Reply | int] = field(default_factory=list)
    looks: int = 1
    batches: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    looked: int = 0

    def reply(self, body: dict[str, Any]) -> Reply | int:
        if not self.replies:
            return told(quoting(body))
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    def status(self, batch: str, base: str) -> dict[str, Any]:
        ended = self.looked > self.looks
        self.looked += 1
        return {
            "id": batch,
            "type": "message_batch",
            "processing_status": "ended" if ended else "in_progress",
            "request_counts": dict.fromkeys(
                ("processing", "succeeded", "errored", "canceled", "expired"), 0
            ),
            "created_at": "2026-11-24T00:00:00Z",
            "expires_at": "2026-11-25T00:00:00Z",
            "ended_at": "2026-11-24T00:01:00Z" if ended else None,
            "archived_at": None,
            "cancel_initiated_at": None,
            "results_url": f"{base}/v1/messages/batches/{batch}/results" if ended else None,
        }
