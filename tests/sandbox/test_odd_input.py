"""Whatever comes in, the sandbox answers like a server: never with a fault of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.sandbox.server import SandboxJira

WRITES = [
    ("POST", "issue"),
    ("PUT", "issue/BILL-1"),
    ("POST", "issue/BILL-1/transitions"),
    ("POST", "issue/BILL-1/comment"),
    ("PUT", "issue/BILL-1/comment/10000"),
    ("PUT", "issue/BILL-1/properties/a"),
    ("POST", "issueLink"),
    ("POST", "comment/list"),
    ("POST", "search/jql"),
    ("POST", "search/approximate-count"),
    ("POST", "permissions/check"),
]
NAMES = (
    *("fields", "update", "project", "key", "id", "issuetype", "name", "summary", "description"),
    *("labels", "add", "set", "remove", "type", "version", "content", "text", "body", "properties"),
    *("value", "visibility", "ids", "jql", "maxResults", "transition", "comment", "inwardIssue"),
    *("outwardIssue", "globalPermissions", "projectPermissions", "permissions", "assignee"),
)
WORDS = (
    *("project", "key", "labels", "status", "created", "=", "!=", "in", "not", "is", "empty"),
    *("and", "or", "(", ")", ",", "BILL", "BILL-1", "-5m", "order", "by", "desc", "~", ">="),
    *("<", "now()", "'x'", '"To', 'Do"', "!"),
)
VALUES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
JSON = st.recursive(
    VALUES | st.sampled_from(["BILL", "BILL-1", "doc", "project = BILL", "Blocks", "21", "Task"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES), inner, max_size=4)
    ),
    max_leaves=20,
)


@pytest.fixture(scope="module")
def api() -> Iterator[httpx.Client]:
    jira = SandboxJira.seeded()
    jira.comment("BILL-1", "Known", as_user="Author")
    with jira.serve() as base_url:
        root, auth = f"{base_url}/rest/api/", jira.credentials("Admin")
        with httpx.Client(base_url=root, auth=auth, verify=False) as client:
            yield client


@given(
    st.sampled_from(WRITES), st.sampled_from("23"), st.dictionaries(st.sampled_from(NAMES), JSON)
)
def test_any_object(
    api: httpx.Client, write: tuple[str, str], version: str, body: dict[str, Any]
) -> None:
    method, path = write
    answer = api.request(method, f"{version}/{path}", json=body)
    assert answer.status_code < 500, answer.text
    assert answer.status_code not in (401, 403)


@given(st.sampled_from(WRITES), st.binary(max_size=30))
def test_any_bytes(api: httpx.Client, write: tuple[str, str], body: bytes) -> None:
    method, path = write
    answer = api.request(method, f"3/{path}", content=body)
    assert answer.status_code < 500, answer.text


@given(st.text(max_size=40))
def test_any_query(api: httpx.Client, jql: str) -> None:
    answer = api.get("3/search/jql", params={"jql": jql, "maxResults": "1"})
    assert answer.status_code in (200, 400), answer.text


@given(st.lists(st.sampled_from(WORDS), max_size=12))
def test_any_words_of_the_language(api: httpx.Client, words: list[str]) -> None:
    answer = api.get("3/search/jql", params={"jql": " ".join(words)})
    assert answer.status_code in (200, 400), answer.text
