"""Bodies of Automation rules, as people type them and as Jira fills them in."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.rule_body import read_rule

NAMED: dict[str, tuple[dict[str, Any], tuple[str | None, str | None, str | None]]] = {
    "as documented": (
        {"issue": {"id": "10001", "key": "BILL-1"}, "comment": {"id": ""}},
        ("10001", None, None),
    ),
    "with a comment": (
        {"issue": {"id": "10001", "key": "BILL-1"}, "comment": {"id": "7"}},
        ("10001", None, "7"),
    ),
    "a number": ({"issue": {"id": 10001}}, ("10001", None, None)),
    "a key alone": ({"issue": {"key": "BILL-1"}}, (None, "BILL-1", None)),
    "a key with a blank": ({"issueKey": " BILL-1 "}, (None, "BILL-1", None)),
    "an empty id": ({"issue": {"id": "", "key": "BILL-1"}}, (None, "BILL-1", None)),
    "a key as id": ({"issue": {"id": "BILL-1"}}, (None, "BILL-1", None)),
    "flat": ({"issueId": "10001", "commentId": 7}, ("10001", None, "7")),
    "flat, in snakes": ({"issue_key": "BILL-1", "comment_id": "7"}, (None, "BILL-1", "7")),
    "only the issue": ({"issue": "BILL-1"}, (None, "BILL-1", None)),
    "Jira's own issue": ({"id": "10001", "key": "BILL-1", "fields": {}}, ("10001", None, None)),
    "a key of the longer kind": ({"key": "A_B2-10"}, (None, "A_B2-10", None)),
}


@pytest.mark.parametrize("case", NAMED.values(), ids=NAMED.keys())
def test_named(
    case: tuple[dict[str, Any], tuple[str | None, str | None, str | None]],
) -> None:
    told, wanted = case
    event = read_rule(json.dumps(told).encode())
    assert (event.outcome, event.name) == ("", "automation")
    assert (event.issue_id, event.issue_key, event.comment_id) == wanted
    assert event.kind == ("comment" if wanted[2] else "ticket")
    assert event.once_key is None


NAMELESS = [
    *(b"", b"{", b"[]", b'"BILL-1"', b"{}", b'{"issue": {}}', b'{"issue": []}', b'{"issue": "x"}'),
    *(
        b'{"issue": {"id": "\xff"}}',
        b'{"issue": {"id": "1", "id": "2"}}',
        b'{"issue": {"id": NaN}}',
    ),
    *(b'{"issue": {"id": "0123"}}', b'{"issue": {"id": 0}}', b'{"issue": {"id": -1}}'),
    *(b'{"issue": {"id": true}}', b'{"issue": {"id": 1.0}}', b'{"issue": {"id": "1\\u0000"}}'),
    *(b'{"key": "bill-1"}', b'{"key": "BILL-0"}', b'{"key": "../BILL-1"}', b'{"key": "BILL-1/x"}'),
    *(
        b'{"key": "\\ud800-1"}',
        b'{"issue": {"id": "10001?expand=x"}}',
        b'{"issueId": "' + b"9" * 20,
    ),
    *(
        b'{"issueId": "%s"}' % (b"9" * 20),
        b'{"issue": {"id": 1e400}}',
        b'{"id": %s}' % (b"9" * 5000),
    ),
    '{"issue": {"id": "١٢"}}'.encode(),
    '{"key": "ВILL-1"}'.encode(),
    b'{"issue": {"id": "{{issue.id}}"}}',
    b'{"issue": {"id": "1"}, "comment": "7"}',
]


@pytest.mark.parametrize("body", NAMELESS, ids=lambda body: ascii(body)[:40])
def test_nameless(body: bytes) -> None:
    event = read_rule(body)
    assert (event.outcome, event.kind) == ("malformed", "none")
    assert event.reason


def test_the_name_of_an_event_is_only_shown() -> None:
    told = {"webhookEvent": "comment_deleted", "issue": {"id": "1"}}
    event = read_rule(json.dumps(told).encode())
    assert (event.name, event.kind, event.outcome) == ("comment_deleted", "ticket", "")
    odd = read_rule(json.dumps({**told, "webhookEvent": "<script>"}).encode())
    assert odd.name == "automation"


def test_the_documented_body_fits_every_trigger() -> None:
    page = Path(__file__).resolve().parents[2] / "docs/reference/doors.md"
    (body,) = re.findall(r"```json\n(.*?)```", page.read_text(), re.DOTALL)
    facts = {"issue.id": "10001", "issue.key": "BILL-1", "comment.id": "7"}
    for known, kind in ((facts, "comment"), ({**facts, "comment.id": ""}, "ticket")):
        sent = body
        for name, value in known.items():
            sent = sent.replace("{{" + name + "}}", value)
        event = read_rule(sent.encode())
        assert (event.outcome, event.issue_id, event.kind) == ("", "10001", kind)


names = ["issue", "id", "key", "issueId", "issueKey", "comment", "commentId", "webhookEvent"]
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(names), inner, max_size=5),
    max_leaves=10,
)


@given(st.binary(max_size=60) | values.map(lambda value: json.dumps(value).encode()))
def test_reading_never_raises(body: bytes) -> None:
    event = read_rule(body)
    assert event.outcome in ("", "malformed")
    named = [name for name in (event.issue_id, event.issue_key) if name is not None]
    assert len(named) == (0 if event.outcome else 1)
