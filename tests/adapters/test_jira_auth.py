"""Each kind of connection has its own credential: what is sent, and that no other is taken."""

from __future__ import annotations

import json
from base64 import b64decode
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import jwt
import pytest
from requests import Request

from app import main
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Auth, Basic, Bearer, Connect, Forge, Waiting, Withdrawn
from app.adapters.jira_session import Way
from app.adapters.jira_sites import Trackers
from app.adapters.memory import MemorySecrets
from app.config import Settings
from app.core.text import paragraph
from app.ports import RateLimited, Refused, Transient
from app.sandbox.connections import Login
from app.sandbox.server import SandboxJira
from tests.adapters.jira_server import Scripted, no_pause, scripted

ME = {"accountId": "me", "displayName": "Signalbox", "accountType": "app"}
SECRET = "s" * 32
AT = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
KINDS = ["token", "automation", "connect", "forge", "poll", "server", "poll on Data Center"]


@pytest.fixture
def script() -> Iterator[Scripted]:
    with scripted() as server:
        server.answer("GET", "/rest/api/3/myself", ME)
        yield server


def row(login: Login, deployment: str = "cloud", **more: Any) -> dict[str, Any]:
    return {
        "id": "acme",
        "connection": login.kind,
        "deployment": deployment,
        "api_url": login.api_url,
        "email": login.email or None,
        "token": MemorySecrets().seal(login.token),
        **more,
    }


def trackers() -> Trackers:
    return Trackers(MemorySecrets().unseal, "signalbox", Way(pause=no_pause))


def install(jira: SandboxJira, kind: str, script: Scripted) -> None:
    if kind == "connect":
        descriptor = json.loads(main.DESCRIPTOR.read_text()) | {"baseUrl": script.url}
        script.answer("GET", "/atlassian-connect.json", descriptor)
        script.answer("POST", "/connect/installed", {})
        jira.install_connect(script.url)
    if kind == "forge":
        jira.install_forge(script.url, "ari:cloud:ecosystem::app/1")


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_gets_in_by_its_own_credential(script: Scripted, kind: str) -> None:
    deployment = "server" if kind in ("server", "poll on Data Center") else "cloud"
    jira = SandboxJira.seeded("server") if deployment == "server" else SandboxJira.seeded()
    with jira.serve():
        install(jira, kind, script)
        login = jira.require(kind.partition(" ")[0])
        tracker = trackers()(row(login, deployment))
        assert tracker.myself().id == login.account_id
        tracker.search('project = BILL AND summary ~ "a b&c*\'" ORDER BY key', 5)
        made = tracker.put_comment("BILL-1", "readiness", [paragraph("NOT YET")])
        tracker.put_comment("BILL-1", "readiness", [paragraph("READY")])
        tracker.set_property("BILL-1", "signalbox", {"score": 1})
        tracker.delete_comment("BILL-1", made)
    schemes = {"connect": "connect", "forge": "forge"}
    wanted = "pat" if deployment == "server" else schemes.get(kind, "token")
    assert {entry.scheme for entry in jira.journal} == {wanted}
    assert {entry.account for entry in jira.journal} == {login.account_id}
    assert {entry.platform for entry in jira.journal} == {kind == "forge"}
    assert not [entry for entry in jira.journal if entry.refusal]


@pytest.mark.parametrize("kind", ["token", "connect", "forge"])
def test_another_kinds_credential_is_refused_with_what_to_do(script: Scripted, kind: str) -> None:
    jira = SandboxJira.seeded()
    with jira.serve():
        install(jira, kind, script)
        login = jira.require(kind)
        email, token = jira.credentials("Signalbox")
        others: dict[str, Auth] = {
            "token": Basic(email, token),
            "connect": Connect("signalbox", SECRET, login.api_url),
            "forge": Forge(login.token),
            "server": Bearer(token),
        }
        del others[kind]
        for auth in others.values():
            with pytest.raises(Refused) as caught:
                JiraTracker("acme", login.api_url, auth).myself()
            assert auth.remedy in str(caught.value)
            assert token not in str(caught.value)


def test_a_scoped_token_goes_to_the_platforms_address(script: Scripted) -> None:
    jira = SandboxJira.seeded()
    with jira.serve():
        jira.user("Signalbox").scoped = True
        login = jira.require("token")
        assert login.api_url == jira.api_url
        assert trackers()(row(login)).ticket("BILL-1").key == "BILL-1"
        with pytest.raises(Refused, match="renew the token"):
            trackers()(row(login) | {"api_url": jira.base_url}).ticket("BILL-1")


def signed(auth: Auth, method: str, url: str) -> str:
    auth.check()
    return str(Request(method, url, auth=auth).prepare().headers["Authorization"])


@pytest.mark.shared
def test_the_qsh_of_every_vector_is_signed(shared: Path) -> None:
    vectors = json.loads((shared / "contracts/jwt/qsh-vectors.json").read_text())["vectors"]
    for vector in vectors:
        parts = urlsplit(vector["url"])
        root = f"{parts.scheme}://{parts.netloc}{vector['contextPath']}"
        auth = Connect("signalbox", SECRET, root, lambda: AT)
        kind, _, token = signed(auth, vector["method"], vector["url"]).partition(" ")
        options: Any = {"verify_exp": False, "verify_iat": False}
        claims = jwt.decode(token, SECRET, algorithms=["HS256"], options=options)
        at = int(AT.timestamp())
        wanted = {"iss": "signalbox", "iat": at, "exp": at + 180, "qsh": vector["qsh"]}
        assert (kind, claims) == ("JWT", wanted), vector["name"]


def test_each_request_has_a_token_of_its_own(script: Scripted) -> None:
    auth = Connect("signalbox", SECRET, script.url)
    tracker = JiraTracker("acme", script.url, auth, way=Way(pause=no_pause))
    script.answer("GET", "/rest/api/3/user", ME)
    for person in ("a", "b"):
        tracker.account(person)
    first, second = (headers["Authorization"] for headers in script.headers)
    assert first != second


def test_names_and_tokens_of_any_alphabet_are_sent_as_utf_8() -> None:
    kind, _, text = signed(Basic("jörg@example.com", "пароль"), "GET", "http://x").partition(" ")
    assert (kind, b64decode(text).decode()) == ("Basic", "jörg@example.com:пароль")


def test_an_expired_forge_token_is_not_sent(script: Scripted) -> None:
    later = AT + timedelta(hours=1)
    auth = Forge("old", later, lambda: later)
    waits: list[float] = []
    tracker = JiraTracker("acme", script.url, auth, way=Way(pause=waits.append))
    for _ in range(2):
        with pytest.raises(Waiting, match=r"ran out.*next call brings a new one"):
            tracker.myself()
    assert (script.asked, waits) == ([], [])
    with pytest.raises(Transient, match="has not come yet"):
        Forge("").check()
    Forge("new", later, lambda: AT).check()


def test_a_site_that_was_uninstalled_is_never_asked(script: Scripted) -> None:
    login = Login("connect", script.url, "me", SECRET)
    tracker = trackers()(row(login, uninstalled_at=AT))
    for call in (tracker.myself, lambda: tracker.put_comment("1", "k", [paragraph("x")])):
        with pytest.raises(Refused, match="uninstalled from the site acme: install the app again"):
            call()
    assert script.asked == []
    with pytest.raises(Refused):
        signed(Withdrawn("acme"), "GET", "http://x")


def test_a_tracker_is_kept_until_its_site_changes(script: Scripted) -> None:
    made, login = trackers(), Login("forge", script.url, "me", "one")
    first = made(row(login))
    assert made(row(login)) is first
    assert made(row(login) | {"id": "other"}) is not first
    expires = row(login) | {"token_expires_at": AT + timedelta(hours=1)}
    second = made(expires)
    assert second is not first
    assert made(expires) is second
    changes: list[dict[str, Any]] = [
        {"token": MemorySecrets().seal("two")},
        {"api_url": script.url + "/jira"},
        {"silent_edits": True},
        {"email": "me@example.com"},
        {"connection": "token"},
        {"deployment": "server"},
        {"uninstalled_at": AT},
    ]
    for change in changes:
        assert made(row(login) | change) is not made(row(login))
    assert len(made._kept) == 2


def test_what_jira_asked_for_outlives_a_new_token(script: Scripted) -> None:
    made, login = trackers(), Login("token", script.url, "me", "one", "me@example.com")
    headers = {"Retry-After": "600", "RateLimit-Reason": "jira-quota-tenant-based"}
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers=headers)
    for token in ("one", "two"):
        with pytest.raises(RateLimited):
            made(row(login) | {"token": MemorySecrets().seal(token)}).myself()
    assert len(script.asked) == 1
    with pytest.raises(RateLimited):  # another site has its own quota
        made(row(login) | {"id": "other"}).myself()
    assert len(script.asked) == 2


@pytest.mark.parametrize(("kind", "asked"), [("connect", 1), ("forge", 1), ("token", 2)])
def test_an_apps_quota_stops_the_app_on_every_site(script: Scripted, kind: str, asked: int) -> None:
    made, login = trackers(), Login(kind, script.url, "me", SECRET, "me@example.com")
    headers = {"Retry-After": "86000", "RateLimit-Reason": "jira-quota-global-based"}
    script.answer("GET", "/rest/api/3/myself", {}, status=429, headers=headers)
    after = []
    for site in ("acme", "other"):
        with pytest.raises(RateLimited) as caught:
            made(row(login) | {"id": site}).myself()
        after.append(caught.value.after)
    assert len(script.asked) == asked
    assert after[0] == 86_000
    assert after[1] <= (3600 if asked == 1 else 86_000)


def test_main_makes_them_by_its_settings(script: Scripted) -> None:
    settings = Settings(secret_key="x", proxy=script.url)
    tracker = main.tracker_factory(settings, MemorySecrets())
    script.answer("GET", "http://jira.example/rest/api/3/myself", ME)
    login = Login("connect", "http://jira.example", "me", SECRET)
    assert tracker(row(login)).myself().id == "me"
    token = script.headers[0]["Authorization"].removeprefix("JWT ")
    assert jwt.decode(token, SECRET, algorithms=["HS256"])["iss"] == "signalbox"


def test_no_credential_is_shown() -> None:
    every: list[Auth] = [
        Basic("me@example.com", "hunter2"),
        Bearer("hunter2"),
        Forge("hunter2"),
        Connect("signalbox", "hunter2", "http://x"),
    ]
    assert "hunter2" not in repr(every)
