"""Reads what a client wants an issue to be: `fields` and `update` become checked values.

Faults are collected by field, as Jira does, and answered together.
https://developer.atlassian.com/cloud/jira/platform/rest/v3/api-group-issues/
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from typing import Any

from app.sandbox.markup import LIMIT, RichText, adf_fault
from app.sandbox.records import (
    ISSUE_TYPES,
    LINK_TYPES,
    PRIORITIES,
    SUBTASK,
    Issue,
    Project,
    User,
)
from app.sandbox.refusals import Refusal
from app.sandbox.state import SandboxState

TOO_LONG = "The entered text is too long. It exceeds the allowed limit of 32,767 characters."
NOT_ADF = "Operation value must be an Atlassian Document (see the Atlassian Document Format)"
_STORED_AS_THEY_ARE = ("components", "fixVersions", "versions", "environment")


class FieldFault(Exception):
    """One field is wrong; the text is what Jira says about it."""


def rich_text(value: object, version: str) -> RichText:
    """A description: ADF in version 3, a string in version 2."""
    if version == "3":
        fault = adf_fault(value)
        if fault or not isinstance(value, dict):
            raise FieldFault(f"{NOT_ADF}: {fault}")
        text = RichText(value)
    elif isinstance(value, str):
        text = RichText(value)
    else:
        raise FieldFault("Operation value must be a string")
    if text.length() > LIMIT:
        raise FieldFault(TOO_LONG)
    return text


def label(value: object) -> str:
    if not isinstance(value, str) or not value:
        raise FieldFault("data was not an array of strings")
    if re.search(r"\s", value):
        raise FieldFault(f"The label '{value}' contains spaces which is invalid.")
    if len(value) > 255:
        raise FieldFault(f"The label '{value[:20]}...' exceeds the maximum length of 255.")
    return value


class FieldReader:
    """Turns the JSON of one request into values; `read` raises one Refusal for all faults."""

    def __init__(self, state: SandboxState, version: str, actor: User) -> None:
        self._state = state
        self._version = version
        self._actor = actor
        self._readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
            "summary": ("summary", _summary),
            "description": ("description", self._description),
            "labels": ("labels", _labels),
            "issuetype": ("issue_type", lambda value: _choice(value, ISSUE_TYPES, "issue type")),
            "priority": ("priority", lambda value: _choice(value, PRIORITIES, "priority")),
            "assignee": ("assignee", self._account),
            "reporter": ("reporter", self._account),
            "security": ("security", _security),
            "duedate": ("duedate", _due),
            "parent": ("parent", self._parent),
        }

    def read(self, body: Mapping[str, Any], issue: Issue | None) -> dict[str, Any]:
        """Values by record name. `issue` is what `add` and `remove` start from."""
        fields, update = body.get("fields") or {}, body.get("update") or {}
        if not isinstance(fields, dict) or not isinstance(update, dict):
            raise Refusal(400, "Invalid request payload. Refer to the REST API documentation.")
        values: dict[str, Any] = {}
        faults: dict[str, str] = {}
        for name in set(fields) & set(update):
            faults[name] = f"Field '{name}' cannot appear in both 'fields' and 'update'"
        if issue is not None and "parent" in fields:
            faults["parent"] = "The sandbox moves no issue below another one."
        for name, value in fields.items():
            self._take(name, partial(_plain, value), values, faults)
        for name, verbs in update.items():
            if name not in ("comment", "issuelinks"):
                self._take(name, self._verbs(name, verbs, issue), values, faults)
        if faults:
            raise Refusal(400, errors=faults)
        return values

    def _take(
        self,
        name: str,
        make: Callable[[Callable[[Any], Any]], Any],
        values: dict[str, Any],
        faults: dict[str, str],
    ) -> None:
        target, read = self._readers.get(name, (name, lambda value: value))
        known = name in self._readers or name in _STORED_AS_THEY_ARE
        if not known and not name.startswith("customfield_"):
            faults.setdefault(
                name,
                f"Field '{name}' cannot be set. It is not on the appropriate screen, or unknown.",
            )
            return
        try:
            values[target] = make(read)
        except FieldFault as fault:
            faults.setdefault(name, str(fault))

    def _verbs(
        self, name: str, verbs: object, issue: Issue | None
    ) -> Callable[[Callable[[Any], Any]], Any]:
        def make(read: Callable[[Any], Any]) -> Any:
            if not isinstance(verbs, list) or not all(isinstance(verb, dict) for verb in verbs):
                raise FieldFault("expected a list of operations")
            operations = [(key, value) for verb in verbs for key, value in verb.items()]
            if name == "labels":
                return _apply_labels(list(issue.labels) if issue else [], operations)
            if [key for key, _ in operations] != ["set"]:
                raise FieldFault(f"the field '{name}' knows the operation 'set' only")
            return read(operations[0][1])

        return make

    def _description(self, value: object) -> RichText | None:
        if value is None or value == "":
            return None
        return rich_text(value, self._version)

    def _parent(self, value: object) -> str | None:
        if value is None:
            return None
        named = (value.get("id") or value.get("key")) if isinstance(value, dict) else None
        try:
            return self._state.issue(str(named or ""), self._actor).id
        except Refusal:
            raise FieldFault("Could not find issue by id or key.") from None

    def _account(self, value: object) -> str | None:
        if value is None:
            return None
        if self._state.deployment == "server":
            return self._by_key_or_name(value)
        wanted = (value.get("accountId") or value.get("id")) if isinstance(value, dict) else None
        if wanted is None:
            return None
        if wanted not in self._state.users:
            raise FieldFault(f"User '{wanted}' does not exist.")
        return str(wanted)

    def _by_key_or_name(self, value: object) -> str | None:
        named = value if isinstance(value, dict) else {}
        key, name = named.get("key"), named.get("name")
        if not key and not name:
            return None
        for user in self._state.users.values():
            if user.account_id == key or (name and user.name == name):
                return user.account_id
        raise FieldFault(f"User '{key or name}' does not exist.")


def _plain(value: Any, read: Callable[[Any], Any]) -> Any:
    return read(value)


def check_new(values: Mapping[str, Any], project: Project) -> None:
    """What a new issue cannot do without."""
    faults = {}
    sub = values.get("issue_type") == SUBTASK
    if sub and not project.subtasks:
        faults["issuetype"] = "Specify a valid issue type"
    elif sub and not values.get("parent"):
        faults["parent"] = "Issue type is a sub-task but parent issue key or id not specified."
    elif values.get("parent") and not sub:
        faults["parent"] = "Given parent work item does not belong to appropriate hierarchy."
    if not values.get("summary"):
        faults["summary"] = "You must specify a summary of the issue."
    if "issue_type" not in values:
        faults["issuetype"] = "Specify an issue type"
    if faults:
        raise Refusal(400, errors=faults)


def link_type(value: object) -> str:
    """By id or by name, in any case of letters."""
    wanted = value if isinstance(value, dict) else {}
    for type_id, (name, _, _) in LINK_TYPES.items():
        if wanted.get("id") == type_id or str(wanted.get("name", "")).lower() == name.lower():
            return type_id
    raise Refusal(404, f"No issue link type with name '{wanted.get('name')}' found.")


def new_links(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """`update.issuelinks[].add`: links that an issue is made with."""
    verbs = (body.get("update") or {}).get("issuelinks") or []
    if not isinstance(verbs, list) or not all(
        isinstance(verb, dict) and isinstance(verb.get("add"), dict) for verb in verbs
    ):
        raise Refusal(400, errors={"issuelinks": "expected a list of operations"})
    return [verb["add"] for verb in verbs]


def _summary(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise FieldFault("You must specify a summary of the issue.")
    if "\n" in value or "\r" in value:
        raise FieldFault("The summary is invalid because it contains newline characters.")
    if len(value) > 255:
        raise FieldFault("Summary can't exceed 255 characters.")
    return value.strip()


def _labels(value: object) -> list[str]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise FieldFault("data was not an array")
    return sorted({label(entry) for entry in value})


def _apply_labels(labels: list[str], operations: list[tuple[str, Any]]) -> list[str]:
    for verb, value in operations:
        if verb == "set":
            labels = _labels(value)
        elif verb == "add":
            labels = sorted({*labels, label(value)})
        elif verb == "remove":
            labels = [known for known in labels if known != value]
        else:
            raise FieldFault(f"unknown operation '{verb}'")
    return labels


def _choice(value: object, known: Mapping[str, str], what: str) -> str:
    wanted = value if isinstance(value, dict) else {}
    for key, name in known.items():
        if wanted.get("id") == key or str(wanted.get("name", "")).lower() == name.lower():
            return key
    raise FieldFault(f"Specify a valid {what}")


def _security(value: object) -> str | None:
    return str(value["name"]) if isinstance(value, dict) and value.get("name") else None


def _due(value: object) -> str | None:
    if value is None:
        return None
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise FieldFault("Error parsing date string: expected yyyy-MM-dd") from None
