"""The webhook's door: who gets in, what is kept, what is answered."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.core.events import read_event
from app.intake.signature import BadSignature, verify
from app.store import sites, tickets
from tests.web.conftest import OWN_ACCOUNT, SECRET, sign
from tests.web.payloads import EXPECTED

Rows = Callable[[], list[sa.RowMapping]]
URL = "/webhooks/jira/acme"
SMALL = b'{"webhookEvent": "jira:issue_updated", "timestamp": 1, "issue": {"id": "1"}}'


def post(client: TestClient, body: bytes, url: str = URL, **headers: str) -> Any:
    signed = {"x-hub-signature": sign(body)} | {k.replace("_", "-"): v for k, v in headers.items()}
    raw = [(k.encode(), v.encode()) for k, v in signed.items() if v]
    return client.post(url, content=body, headers=raw)


def test_every_recorded_payload_is_in_the_table(shared: Path) -> None:
    index = json.loads((shared / "contracts/webhooks/INDEX.json").read_text())
    assert {row["file"] for row in index["files"]} == set(EXPECTED)


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_recorded_payload(client: TestClient, rows: Rows, shared: Path, name: str) -> None:
    body = (shared / "contracts/webhooks" / name).read_bytes()
    assert client.post(URL, content=body).status_code == 401
    assert rows() == []
    answer = post(client, body, x_atlassian_webhook_identifier="one")
    row = rows()[0]
    outcome, kind = EXPECTED[name]
    assert (answer.status_code, answer.json()) == (200, {"delivery": row["id"]})
    assert (row["outcome"] or "", row["kind"]) == (outcome, kind)
    assert row["body"] == body
    again = post(client, body, x_atlassian_webhook_identifier="one")
    assert again.json() == answer.json()
    assert len(rows()) == 1


def test_signature_vectors(shared: Path) -> None:
    import base64

    vectors = json.loads((shared / "contracts/jwt/webhook-hmac-vectors.json").read_text())[
        "vectors"
    ]
    assert vectors
    for vector in vectors:
        coded = vector.get("payload_base64")
        body = base64.b64decode(coded) if coded else vector["payload"].encode()
        if vector["valid"]:
            verify([vector["header"]], body, vector["secret"])
        else:
            with pytest.raises(BadSignature):
                verify([vector["header"]], body, vector["secret"])


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "sha256=",
        sign(SMALL, "another"),
        sign(SMALL).upper(),
        "sha1=" + "0" * 40,
        sign(b"x"),
        "ü",
    ],
)
def test_bad_signatures_leave_nothing(client: TestClient, rows: Rows, signature: str) -> None:
    headers = {"x-hub-signature": signature.encode()} if signature else {}
    answer = client.post(URL, content=SMALL, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 401
    assert rows() == []


def test_two_signatures_are_refused(client: TestClient, rows: Rows) -> None:
    right = ("x-hub-signature", sign(SMALL))
    assert client.post(URL, content=SMALL, headers=[right, right]).status_code == 401
    assert rows() == []


@pytest.mark.parametrize("site", ["unknown", "closed", "%00", "ACME", "a" * 200, "..%2f", "ü"])
def test_unknown_and_closed_sites_look_like_a_bad_signature(
    client: TestClient, rows: Rows, site: str
) -> None:
    bad = client.post(URL, content=SMALL)
    answers = [
        client.post(f"/webhooks/jira/{site}", content=SMALL, headers={"x-hub-signature": signature})
        for signature in (sign(SMALL), sign(SMALL, "-"), sign(SMALL, ""))
    ]
    assert {(a.status_code, a.content) for a in answers} <= {
        (401, bad.content),
        (404, b'{"detail":"Not Found"}'),  # a path that is no site's at all
    }
    assert rows() == []


def test_body_over_the_limit(client: TestClient, rows: Rows) -> None:
    body = b'{"a": "' + b"x" * 100_001 + b'"}'
    assert post(client, body).status_code == 413
    chunks = client.post(
        URL, content=iter([body[:50_000], body[50_000:]]), headers={"x-hub-signature": sign(body)}
    )
    assert chunks.status_code == 413
    assert rows() == []


BAD = {
    "not JSON": b"{",
    "empty": b"",
    "plain text": b"hello",
    "an array": b"[]",
    "a number": b"1e400",
    "invalid UTF-8": b'{"webhookEvent": "\xff"}',
    "a NUL byte": b'{"webhookEvent": "a\x00b"}',
    "an escaped NUL": b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "1\\u0000"}}',
    "a lone surrogate": b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "\\ud800"}}',
    "a key twice": b'{"webhookEvent": "jira:issue_updated", "webhookEvent": "x"}',
    "NaN": b'{"webhookEvent": "jira:issue_updated", "x": NaN}',
    "deep nesting": b'{"a":' + b"[" * 40_000 + b"]" * 40_000 + b"}",
    "nesting that parses": b'{"a":' + b"[" * 100 + b"]" * 100 + b"}",
    "a huge number": b'{"webhookEvent": "jira:issue_updated", "issue": {"id": 1%s}}' % (b"0" * 30),
    "a number with 5,000 digits": b'{"x": %s}' % (b"9" * 5000),
    "no event": b'{"issue": {"id": "1"}}',
    "an event that is a list": b'{"webhookEvent": []}',
    "no issue": b'{"webhookEvent": "jira:issue_updated"}',
    "an issue that is a list": b'{"webhookEvent": "jira:issue_updated", "issue": []}',
    "a changelog that is a text": b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, '
    b'"changelog": "x"}',
    "a comment without id": b'{"webhookEvent": "comment_created", "issue": {"id": "1"}, '
    b'"comment": {}}',
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD.keys())
def test_unreadable_bodies_are_kept_as_malformed(
    client: TestClient, rows: Rows, body: bytes
) -> None:
    answer = post(client, body)
    assert (answer.status_code, rows()[0]["outcome"]) == (200, "malformed")
    assert rows()[0]["reason"]
    assert client.post(URL, content=body).status_code == 401
    assert len(rows()) == 1


@given(
    st.binary(max_size=200)
    | st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["webhookEvent", "issue", "comment", "changelog", "items", "id", "user"]
                ),
                inner | st.sampled_from(["jira:issue_updated", "comment_created", "1"]),
                max_size=5,
            )
        ),
        max_leaves=12,
    ).map(lambda value: json.dumps(value).encode())
)
def test_reading_never_raises(body: bytes) -> None:
    event = read_event(body, OWN_ACCOUNT)
    assert event.outcome in ("", "ignored", "unsupported", "malformed")
    assert event.outcome or event.issue_id


def test_our_own_events_are_ignored_by_account(client: TestClient, rows: Rows) -> None:
    body = json.dumps(
        {
            "webhookEvent": "jira:issue_updated",
            "issue": {"id": "1"},
            "user": {"accountId": OWN_ACCOUNT, "displayName": "Somebody else"},
        }
    ).encode()
    post(client, body)
    comment = json.dumps(
        {
            "webhookEvent": "comment_created",
            "issue": {"id": "1"},
            "comment": {"id": "7", "author": {"accountId": OWN_ACCOUNT}},
        }
    ).encode()
    post(client, comment)
    assert [(row["outcome"], row["reason"]) for row in rows()] == [
        ("ignored", "our own change"),
        ("ignored", "our own change"),
    ]


def test_one_change_delivered_two_ways_is_one_row(client: TestClient, rows: Rows) -> None:
    body = b'{"webhookEvent": "jira:issue_updated", "issue": {"id": "1"}, "changelog": {"id": "5", '
    body += b'"items": [{"field": "labels", "fromString": "", "toString": "agent-ready"}]}}'
    first = post(client, body, x_atlassian_webhook_identifier="a")
    second = post(client, body.replace(b"5", b"5", 1), x_atlassian_webhook_identifier="b")
    assert first.json() == second.json()
    assert len(rows()) == 1


def test_hostile_identifiers_are_kept(client: TestClient, rows: Rows) -> None:
    for position, identifier in enumerate(["x" * 5000, "a'b\";--", "é" * 3]):
        body = SMALL.replace(b"1}", b"%d}" % (position + 5))
        post(client, body, x_atlassian_webhook_identifier=identifier)
    assert len({row["id"] for row in rows()}) == 3
    assert all(re.fullmatch(r"[0-9a-f]{24}", row["id"]) for row in rows())


def test_a_chosen_identifier_cannot_stand_for_a_row_of_our_own(
    client: TestClient, rows: Rows, database: Any
) -> None:
    """The header is not signed: a body that was seen once can be sent again under any name."""
    own = ["wake:1:1", "asked:7:2026-11-23T09:00:00+00:00", "ended:1:1"]
    for ident in own:
        post(client, SMALL, x_atlassian_webhook_identifier=ident)
    for ident in own:
        tickets.again(database, "acme", "1", ident, "asked", datetime(2026, 11, 23, tzinfo=UTC))
    kept = [(row["ident"], row["event"]) for row in rows()]
    assert kept[:3] == [(f"jira:{ident}", "jira:issue_updated") for ident in own]
    assert kept[3:] == [(ident, "signalbox:asked") for ident in own]


def test_a_chosen_identifier_cannot_stand_for_a_hash(client: TestClient, rows: Rows) -> None:
    post(client, SMALL)
    post(client, SMALL, x_atlassian_webhook_identifier="x" * 5000)
    first, second = (row["ident"] for row in rows())
    assert (first[:5], second[:5]) == ("body:", "hash:")
    for ident in (first, second):
        post(client, SMALL, x_atlassian_webhook_identifier=ident)
    assert [row["ident"] for row in rows()[2:]] == [f"jira:{first}", f"jira:{second}"]


def test_a_store_that_is_away_is_503(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(*_args: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("app.intake.receive.inbox.receive", away)
    answer = post(client, SMALL)
    assert answer.status_code == 503
    assert "disk full" not in answer.text


def test_deliveries_page(client: TestClient) -> None:
    post(client, SMALL)
    post(client, b'{"webhookEvent": "<script>", "issue": {"id": "1"}}')
    assert client.get("/deliveries").status_code == 401
    assert client.get("/deliveries", auth=("admin", "wrong")).status_code == 401
    page = client.get("/deliveries", auth=("admin", "pages"))
    assert page.status_code == 200
    assert "jira:issue_updated" in page.text
    assert "<script>" not in page.text
    assert "script-src" not in page.headers["content-security-policy"]
    counts = client.get("/deliveries.json", auth=("admin", "pages")).json()["counts"]
    assert counts == {"malformed": 1, "waiting": 1}


def test_health(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    assert client.get("/healthz").json()["status"] == "ok"

    def away(*_args: object) -> None:
        raise OSError("gone")

    monkeypatch.setattr(sites, "list_sites", away)
    assert client.get("/healthz").status_code == 503


def test_the_secret_is_sealed_at_rest(client: TestClient, database: Any) -> None:
    row = sites.get_site(database, "acme")
    assert SECRET not in str(dict(row))
