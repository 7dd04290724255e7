"""Signed bodies with hostile letters in every place where an event may hold text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.core.events import Event, read_event
from tests.web.conftest import OWN_ACCOUNT, sign

Rows = Callable[[], list[sa.RowMapping]]
Path = tuple[str | int, ...]
PERSON = {"accountId": "a", "key": "k", "name": "n"}
COMMENT = {
    "id": "7",
    "self": "https://jira/rest/api/2/issue/1/comment/7",
    "created": "2026-11-23T14:26:00.000+0100",
    "updated": "2026-11-23T14:27:00.000+0100",
    "author": PERSON,
    "updateAuthor": PERSON,
}
ITEMS = [{"field": "Rank", "fieldId": "customfield_1"}, {"fieldId": "duedate"}]
BODIES: list[dict[str, Any]] = [
    {
        "webhookEvent": "jira:issue_updated",
        "issue_event_type_name": "issue_generic",
        "issue": {"id": "1", "key": "BILL-1"},
        "user": PERSON,
        "changelog": {"id": "5", "items": ITEMS},
    },
    {"webhookEvent": "comment_created", "issue": {"id": "1"}, "comment": COMMENT},
    {"webhookEvent": "comment_created", "comment": COMMENT},
    {
        "webhookEvent": "jira:issue_updated",
        "issue": {"id": "1"},
        "comment": COMMENT,
        "changelog": {"id": "5", "items": ITEMS},
    },
    {"webhookEvent": "issue_property_set", "issue": {"id": "1"}},
]
HOSTILE = ["\x00", "\ud800", "\udfff", "\x1b[2J", "\u202e", "\u2028", "\ufffe"]


def places(node: Any, path: Path = ()) -> Iterator[Path]:
    """The way to every text and to every key."""
    inner = node.items() if isinstance(node, dict) else enumerate(node)
    for name, value in inner:
        if isinstance(node, dict):
            yield (*path, name, "key")
        if isinstance(value, dict | list):
            yield from places(value, (*path, name))
        else:
            yield (*path, name, "value")


PLACES = [(number, path) for number, body in enumerate(BODIES) for path in places(body)]


def spoilt(number: int, path: Path, letters: str, *, whole: bool) -> bytes:
    """The body with the letters at that place, behind what stood there or instead of it."""
    body = deepcopy(BODIES[number])
    *way, name, part = path
    node: Any = body
    for step in way:
        node = node[step]
    if part == "key":
        node[letters if whole else f"{name}{letters}"] = node.pop(name)
    else:
        node[name] = letters if whole else f"{node[name]}{letters}"
    return json.dumps(body).encode()


def columns(event: Event) -> list[str]:
    """What goes into columns of text."""
    found = (event.name, event.outcome, event.reason, event.kind, event.issue_id)
    more = (event.comment_id, event.comment_version, event.once_key)
    return [text for text in (*found, *more) if text is not None]


@pytest.mark.parametrize("letters", HOSTILE, ids=ascii)
def test_no_hostile_letter_gets_into_a_column(letters: str) -> None:
    for number, path in PLACES:
        for whole in (True, False):
            event = read_event(spoilt(number, path, letters, whole=whole), OWN_ACCOUNT)
            assert all(text.isprintable() for text in columns(event)), (number, path)


@given(
    st.sampled_from(PLACES),
    st.text(st.characters(exclude_categories=()), min_size=1, max_size=300),
    st.booleans(),
)
def test_no_text_at_all_does(place: tuple[int, Path], letters: str, whole: bool) -> None:
    event = read_event(spoilt(*place, letters, whole=whole), OWN_ACCOUNT)
    for text in columns(event):
        assert text.isprintable()
        text.encode()


def test_a_field_in_another_language_stays_readable() -> None:
    body = json.loads(json.dumps(BODIES[0]))
    body["changelog"]["items"] = [{"field": "Größe\x00\ud800"}]
    event = read_event(json.dumps(body).encode(), OWN_ACCOUNT)
    assert (event.outcome, event.reason) == ("ignored", "changed only größe??")


@pytest.mark.parametrize("letters", HOSTILE[:2], ids=ascii)
def test_the_database_takes_every_one(client: TestClient, rows: Rows, letters: str) -> None:
    for number, path in PLACES:
        body = spoilt(number, path, letters, whole=False)
        answer = client.post(
            "/webhooks/jira/acme", content=body, headers={"x-hub-signature": sign(body)}
        )
        assert answer.status_code == 200, (number, path, answer.text)
    assert {row["outcome"] for row in rows()} >= {"ignored", "malformed"}
