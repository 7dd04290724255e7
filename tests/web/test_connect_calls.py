"""Calls of a Connect site: its webhooks, and its pages in Jira's frame."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse
from starlette.testclient import TestClient

from app.adapters.clock import SystemClock
from app.adapters.memory import MemorySecrets
from app.core.qsh import CONTEXT
from app.intake.connect_tokens import verify_page
from app.intake.door import Door, stranger
from app.intake.signature import BadSignature
from app.store import installs
from app.store.database import Database
from tests.web.conftest import sign
from tests.web.connecting import (
    BODIES,
    EVENT,
    HOOKS,
    INSTALLED,
    KEY,
    LATER,
    SECRET,
    deliver,
    install,
    post,
    unknown,
)
from tests.web.signers import URL, claims, hs256, rs256

Rows = Callable[[], list[sa.RowMapping]]


# Webhooks


def test_a_webhook_is_a_delivery(jira: TestClient, rows: Rows) -> None:
    install(jira)
    token = hs256(claims(KEY, "POST", HOOKS), SECRET)
    answers = [
        post(jira, HOOKS, token, EVENT, x_atlassian_webhook_identifier="one") for _ in range(2)
    ]
    (row,) = rows()
    assert [(a.status_code, a.json()) for a in answers] == [(200, {"delivery": row["id"]})] * 2
    assert (row["site_id"], row["kind"], row["issue_id"]) == ("acme", "ticket", "1")


CALLS: dict[str, Callable[[], str]] = {
    "another secret": lambda: hs256(claims(KEY, "POST", HOOKS), LATER),
    "no secret": lambda: hs256(claims(KEY, "POST", HOOKS), ""),
    "the stand-in's secret": lambda: hs256(claims(KEY, "POST", HOOKS), "-" * 32),
    "an unknown client": lambda: hs256(claims("jira:unknown", "POST", HOOKS), SECRET),
    "an unknown client, stand-in's secret": lambda: hs256(
        claims("jira:unknown", "POST", HOOKS), "-" * 32
    ),
    "an unreadable client": lambda: hs256(claims("a\x00b", "POST", HOOKS), SECRET),
    "no client": lambda: hs256(claims("", "POST", HOOKS, iss=None), SECRET),
    "Atlassian's own key": lambda: rs256(
        claims(KEY, "POST", HOOKS, aud=[URL]), "connect", "connect-key"
    ),
    "no algorithm": lambda: (
        hs256(claims(KEY, "POST", HOOKS), "", alg="none").rpartition(".")[0] + "."
    ),
    "HS512 said, HS256 done": lambda: hs256(claims(KEY, "POST", HOOKS), SECRET, alg="HS512"),
    "over": lambda: hs256(
        claims(KEY, "POST", HOOKS, iat=int(time.time()) - 400, exp=int(time.time()) - 100), SECRET
    ),
    "of a frame": lambda: hs256(claims(KEY, "POST", HOOKS, qsh=CONTEXT), SECRET),
    "without qsh": lambda: hs256(claims(KEY, "POST", HOOKS, qsh=None), SECRET),
    "another method": lambda: hs256(claims(KEY, "GET", HOOKS), SECRET),
    "another path": lambda: hs256(claims(KEY, "POST", INSTALLED), SECRET),
    "another query": lambda: hs256(claims(KEY, "POST", HOOKS + "?a=1"), SECRET),
    "a qsh that is a number": lambda: hs256(claims(KEY, "POST", HOOKS, qsh=7), SECRET),
    "a qsh that is not ASCII": lambda: hs256(claims(KEY, "POST", HOOKS, qsh="é"), SECRET),
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_forged_webhooks_leave_nothing(jira: TestClient, rows: Rows) -> None:
    install(jira)
    for name, token in CALLS.items():
        assert unknown(post(jira, HOOKS, token(), EVENT)), name
    right = ("authorization", f"JWT {hs256(claims(KEY, 'POST', HOOKS), SECRET)}")
    assert unknown(jira.post(HOOKS, content=EVENT, headers=[right, right]))
    assert unknown(jira.post(HOOKS, content=EVENT))
    assert rows() == []
    assert jira.post(HOOKS, content=EVENT, headers=[right]).status_code == 200


def test_a_token_opens_its_own_site(jira: TestClient, rows: Rows) -> None:
    install(jira)
    install(jira, clientKey="jira:b", baseUrl="https://b.atlassian.net", sharedSecret=LATER)
    assert unknown(deliver(jira, LATER))  # b's secret, acme's name
    assert unknown(deliver(jira, SECRET, "jira:b"))
    deliver(jira)
    deliver(jira, LATER, "jira:b")
    assert [row["site_id"] for row in rows()] == ["acme", "b"]
    for site_id in ("acme", "b"):  # these have no door of other kinds
        for secret in ("", "-", SECRET, LATER):
            signed = {"x-hub-signature": sign(EVENT, secret)}
            assert unknown(jira.post(f"/webhooks/jira/{site_id}", content=EVENT, headers=signed))


def test_odd_webhook_bodies_are_malformed(jira: TestClient, rows: Rows) -> None:
    install(jira)
    for content in BODIES.values():
        token = hs256(claims(KEY, "POST", HOOKS), SECRET)
        assert post(jira, HOOKS, token, content).status_code == 200
    assert {row["outcome"] for row in rows()} == {"malformed"}


# Pages in the frame


@dataclass
class Framed:
    """A page of ours, and one that it calls later with a token of the frame."""

    client: TestClient
    door: Door


@pytest.fixture
def framed(database: Database) -> Framed:
    door = Door(database, MemorySecrets(), SystemClock(), 1000, URL)
    app = FastAPI()

    def answer(request: Request, *, context: bool) -> JSONResponse:
        try:
            page = verify_page(door, request, context=context)
        except BadSignature as fault:
            return stranger(request, fault)
        return JSONResponse([page.site["id"], page.account_id, page.context])

    @app.get("/page")
    def page(request: Request) -> JSONResponse:
        return answer(request, context=False)

    @app.get("/call")
    def call(request: Request) -> JSONResponse:
        return answer(request, context=True)

    for name, secret in (("acme", SECRET), ("b", LATER)):
        new = installs.Install(
            connection="connect",
            identity=f"jira:{name}",
            api_url=f"https://{name}.atlassian.net",
            browse_url=f"https://{name}.atlassian.net",
            token=door.secrets.seal(secret),
            name=name,
        )
        installs.install(database, new, datetime.now(UTC))
    return Framed(TestClient(app, base_url=URL), door)


def opened(path: str, secret: str = SECRET, issuer: str = "jira:acme", **changed: Any) -> str:
    url = URL + path
    token = hs256(claims(issuer, "GET", url, **changed), secret)
    return f"{url}{'&' if '?' in url else '?'}jwt={token}"


def test_a_page_knows_who_looks(framed: Framed) -> None:
    about = {"jira": {"issue": {"id": "1"}}}
    seen = framed.client.get(opened("/page?issue=1&b=2", sub="user-1", context=about))
    assert seen.json() == ["acme", "user-1", about]
    assert framed.client.get(opened("/page")).json() == ["acme", "", {}]
    assert framed.client.get(opened("/page", sub="\ud800", context=[])).json() == ["acme", "", {}]
    assert framed.client.get(opened("/page", LATER, "jira:b")).json() == ["b", "", {}]


def test_a_page_is_opened_by_its_own_token(framed: Framed) -> None:  # A11
    right = opened("/page?issue=1&sort=a%20b")
    same = right.replace("issue=1&sort=a%20b", "sort=a+b&issue=1")
    assert framed.client.get(same).status_code == 200
    for other in (
        right.replace("issue=1", "issue=2"),
        right.replace("issue=1", "issue=1&issue=1"),
        right.replace("/page", "/call"),
        right + "&more=1",
        right + "&jwt" + right.partition("&jwt")[2],
        opened("/page", LATER),
        opened("/page", SECRET, "jira:b"),
        opened("/page", SECRET, "jira:unknown"),
        URL + "/page",
        URL + "/page?jwt=",
    ):
        assert unknown(framed.client.get(other)), other
    two = framed.client.get(right, headers={"authorization": "JWT " + right.partition("jwt=")[2]})
    assert unknown(two)
    assert framed.client.request("HEAD", right).status_code == 405


def test_a_token_of_the_frame_only_where_it_is_meant(framed: Framed) -> None:
    of_frame = hs256(claims("jira:acme", "GET", URL, qsh=CONTEXT, sub="user-1"), SECRET)
    header = {"authorization": f"JWT {of_frame}"}
    assert framed.client.get("/call?issue=7", headers=header).json() == ["acme", "user-1", {}]
    assert unknown(framed.client.get("/page", headers=header))
    assert unknown(framed.client.get(f"/page?jwt={of_frame}"))
    forged = hs256(claims("jira:b", "GET", URL, qsh=CONTEXT, sub="user-1"), SECRET)
    assert unknown(framed.client.get("/call", headers={"authorization": f"JWT {forged}"}))


def test_pages_end_with_the_installation(framed: Framed, database: Database) -> None:
    assert framed.client.get(opened("/page")).status_code == 200
    installs.uninstall(database, "acme", datetime.now(UTC))
    assert unknown(framed.client.get(opened("/page")))
    assert framed.client.get(opened("/page", LATER, "jira:b")).status_code == 200
