"""What the sandbox refuses, in the words and status codes that Jira Cloud uses."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class Refusal(Exception):
    """An answer that is an error. `body` is Jira's error collection.

    https://developer.atlassian.com/cloud/jira/platform/rest/v3/intro/#status-codes
    """

    def __init__(
        self, status: int, *messages: str, errors: Mapping[str, str] | None = None
    ) -> None:
        super().__init__("; ".join([*messages, *(errors or {}).values()]) or str(status))
        self.status = status
        self.messages = messages
        self.errors = dict(errors or {})

    def body(self) -> dict[str, Any]:
        return {"errorMessages": list(self.messages), "errors": self.errors}


def no_issue() -> Refusal:
    """Jira does not tell whether an issue is gone or hidden."""
    return Refusal(404, "Issue does not exist or you do not have permission to see it.")


def no_comment(comment_id: str) -> Refusal:
    return Refusal(404, f"Can not find a comment for the id: {comment_id}.")


def no_project(key: str) -> Refusal:
    return Refusal(404, f"No project could be found with key '{key}'.")


def bad_field(name: str, why: str) -> Refusal:
    return Refusal(400, errors={name: why})
