"""What a message of the agent connector is about."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.agent_message import ASSIGNED, MENTIONED, Wish, read_message
from app.core.payload import Malformed
from tests.core.scraps import NAMES, SCRAPS


@pytest.mark.parametrize(
    ("told", "wish"),
    [
        ({"issue": {"id": "10001", "key": "BILL-1"}}, Wish("ticket", ASSIGNED, "10001")),
        ({"issue": {"id": 10001.0}}, Wish("ticket", ASSIGNED, "10001")),
        ({"issueId": 10001}, Wish("ticket", ASSIGNED, "10001")),
        ({"issue": {"key": "BILL-1"}}, Wish("ticket", ASSIGNED, None, "BILL-1")),
        ({"issue": "BILL-1"}, Wish("ticket", ASSIGNED, None, "BILL-1")),
        ({"key": " BILL-1 "}, Wish("ticket", ASSIGNED, None, "BILL-1")),
        ({"issue": {"id": 2.0**60}, "key": "AB-1"}, Wish("ticket", ASSIGNED, None, "AB-1")),
    ],
)
def test_an_assignment(told: dict[str, Any], wish: Wish) -> None:
    assert read_message([{"text": "hello"}, {"invocationType": ASSIGNED, **told}]) == wish


@pytest.mark.parametrize(
    ("told", "wish"),
    [
        ({"comment": {"id": "20001"}}, Wish("comment", MENTIONED, "10001", None, "20001")),
        ({"commentId": 20001.0}, Wish("comment", MENTIONED, "10001", None, "20001")),
        ({"comment": {"body": "agent run"}}, Wish("mention", MENTIONED, "10001")),
    ],
)
def test_a_mention(told: dict[str, Any], wish: Wish) -> None:
    assert read_message([{"invocationType": MENTIONED, "issueId": "10001", **told}]) == wish


@pytest.mark.parametrize("issue", [None, "", "../admin", "bill-1", -1, 0, 1.5, True, {"id": []}])
def test_what_names_no_issue(issue: object) -> None:
    with pytest.raises(Malformed, match="names no issue"):
        read_message([{"invocationType": ASSIGNED, "issue": issue}])


@given(st.lists(st.dictionaries(st.sampled_from(NAMES), SCRAPS, max_size=6), max_size=3))
def test_reading_only_ever_says_malformed(parts: list[dict[str, Any]]) -> None:
    try:
        wish = read_message(parts)
    except Malformed:
        return
    assert (wish.kind == "chat") == (wish.issue_id is None and wish.issue_key is None)
