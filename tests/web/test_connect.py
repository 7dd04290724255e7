"""A Connect app's doors: who may install us, whose calls are taken, what an uninstall leaves."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.core.qsh import CONTEXT
from app.intake.hosts import forge_api, site_address
from app.ports import Transient
from app.store import installs, sites
from app.store.database import Database
from app.store.schema import run
from tests.web.connecting import (
    ADDRESS,
    BODIES,
    INSTALLED,
    KEY,
    LATER,
    SECRET,
    UNINSTALLED,
    body,
    deliver,
    install,
    lifecycle,
    post,
    unknown,
)
from tests.web.signers import URL, KeyServer, claims, hs256, pem, rs256

# Installing


def test_an_install_makes_a_site(jira: TestClient, database: Database) -> None:
    before = datetime.now(UTC)
    with structlog.testing.capture_logs() as logs:
        answer = install(jira, baseUrl=ADDRESS + "/")
    assert (answer.status_code, answer.json()) == (200, {"site": "acme"})
    row = dict(sites.get_site(database, "acme"))
    assert before <= row["connected_at"] <= datetime.now(UTC)
    assert SECRET not in str(row)
    del row["connected_at"], row["token"]
    assert row == {
        "id": "acme",
        "connection": "connect",
        "deployment": "cloud",
        "api_url": ADDRESS,
        "browse_url": ADDRESS,
        "email": None,
        "token_expires_at": None,
        "webhook_secret": None,
        "client_key": KEY,
        "cloud_id": None,
        "account_id": "",
        "label": "agent-ready",
        "zone": "UTC",
        "currency": "USD",
        "silent_edits": False,
        "paused_at": None,
        "polled_at": None,
        "uninstalled_at": None,
    } | {name: row[name] for name in row if name not in COLUMNS}
    assert [entry["event"] for entry in logs] == ["installed"]


COLUMNS = {
    *("id", "connection", "deployment", "api_url", "browse_url", "email", "token_expires_at"),
    *("webhook_secret", "client_key", "cloud_id", "account_id", "label", "zone", "currency"),
    *("silent_edits", "paused_at", "polled_at", "uninstalled_at"),
}
"""Those that an install says something of."""


def symmetric(key: str) -> str:
    told = claims(KEY, "POST", INSTALLED, aud=[URL])
    return hs256(told, key, kid="connect-key")


def unsigned(algorithm: str) -> str:
    head, told, _ = lifecycle().split(".")
    other = hs256({}, "", alg=algorithm, kid="connect-key").split(".")[0]
    return f"{other}.{told}.{head}"


OTHER_URL = "https://signalbox.example.org"
FORGED: dict[str, Callable[[], str]] = {
    "HS256 with the public key": lambda: symmetric(pem("connect")),
    "the same with a blank before": lambda: symmetric(" " + pem("connect")),
    "the same with a line before": lambda: symmetric("\n" + pem("connect")),
    "the same without its last line break": lambda: symmetric(pem("connect").strip()),
    "HS256 with the secret of the body": lambda: symmetric(SECRET),
    "no algorithm": lambda: unsigned("none"),
    "None": lambda: unsigned("None"),
    "RS384 without a right": lambda: unsigned("RS384"),
    "another's key": lambda: rs256(
        claims(KEY, "POST", INSTALLED, aud=[URL]), "somebody", "connect-key"
    ),
    "for another app": lambda: lifecycle(aud=[OTHER_URL]),
    "for us and a path": lambda: lifecycle(aud=[URL + "/more"]),
    "for nobody": lambda: lifecycle(aud=None),
    "for a number": lambda: lifecycle(aud=[7]),
    "of another client": lambda: lifecycle(issuer="jira:somebody-else"),
    "of nobody": lambda: lifecycle(iss=None),
    "without end": lambda: lifecycle(exp=None),
    "over": lambda: lifecycle(iat=int(time.time()) - 400, exp=int(time.time()) - 100),
    "not yet": lambda: lifecycle(iat=int(time.time()) + 100),
    "for years": lambda: lifecycle(exp=int(time.time()) + 10**8),
    "without qsh": lambda: lifecycle(qsh=None),
    "of a frame": lambda: lifecycle(qsh=CONTEXT),
    "for the uninstall": lambda: lifecycle(UNINSTALLED),
    "for another query": lambda: lifecycle(INSTALLED + "?a=1"),
    "two tokens in one": lambda: f"{lifecycle()},{lifecycle()}",
    "empty": lambda: "",
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_install_leaves_nothing(  # A03, A06, A11
    jira: TestClient, database: Database, token: Callable[[], str]
) -> None:
    assert unknown(post(jira, INSTALLED, token(), body()))
    assert sites.list_sites(database) == []
    assert install(jira).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_an_install_without_one_token_leaves_an_audit_line(  # A01
    jira: TestClient, database: Database, keys: KeyServer
) -> None:
    right = ("authorization", f"JWT {lifecycle()}")
    bearer = ("authorization", f"Bearer {lifecycle()}")
    for headers in ([], [right, right], [bearer], [right, bearer]):
        with structlog.testing.capture_logs() as logs:
            assert unknown(jira.post(INSTALLED, content=body(), headers=headers))
        assert [(e["event"], e["door"]) for e in logs] == [("refused", "/connect/installed")]
    assert sites.list_sites(database) == []
    assert keys.asked == []


BAD_KEY_IDS = [
    *("../../x", "..", "a/../b", "/etc/passwd", "//evil.example/x", "a//b", "a/", ".hidden"),
    *("https://evil.example/key", "evil.example:443", "a@b", "a?b", "a#b", "a%2f..", "a\\b"),
    *("a b", "a\nb", "a\x00", "", "é", "a" * 129, "k" * 10_000),
]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_request_leaves_for_a_bad_key_id(  # A04
    jira: TestClient, database: Database, keys: KeyServer
) -> None:
    told = claims(KEY, "POST", INSTALLED, aud=[URL])
    for kid in [*BAD_KEY_IDS, None, 7, ["connect-key"], {"a": 1}]:
        assert unknown(post(jira, INSTALLED, hs256(told, SECRET, kid=kid, alg="RS256"), body()))
    assert unknown(post(jira, INSTALLED, hs256(told, SECRET, alg="RS256"), body()))
    assert keys.asked == []
    assert unknown(post(jira, INSTALLED, rs256(told, "connect", "unknown-key"), body()))
    assert keys.asked == [("connect", "unknown-key")]
    assert sites.list_sites(database) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_rotated_keys(jira: TestClient, keys: KeyServer) -> None:
    told = claims(KEY, "POST", INSTALLED, aud=[URL])
    keys.connect_id = "the/next.key-2"
    assert unknown(install(jira))
    assert post(jira, INSTALLED, rs256(told, "connect", keys.connect_id), body()).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_key_server_that_is_away_is_no_wrong_signature(
    jira: TestClient, database: Database, keys: KeyServer
) -> None:
    keys.fault = Transient("Atlassian's keys cannot be read.")
    assert install(jira).status_code == 503
    assert sites.list_sites(database) == []


ADDRESSES = [
    *("http://169.254.169.254/", "http://localhost:5432", "https://evil.example"),
    *("https://x.atlassian.net@evil.example", "https://x.atlassian.net.evil.example"),
    *("https://[::ffff:169.254.169.254]/", "https://2852039166/", "https://аcme.atlassian.net"),
    *("http://acme.atlassian.net", "https://acme.atlassian.net:8080", "https://atlassian.net"),
    *("https://a.b.atlassian.net", "https://acme.atlassian.net/wiki", "https://acme.jira.com?a"),
    *("https://acme.atlassian.net\n", " https://acme.atlassian.net", "https://ACME.atlassian.net"),
    *("https://acme.atlassian.net/\\evil", "https://acme%2eatlassian.net", "file:///etc/passwd"),
    *("http://127.0.0.1:8080", "", 7, None, ["https://acme.atlassian.net"]),
]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_only_a_jira_cloud_site_is_an_address(jira: TestClient, database: Database) -> None:  # A08
    for address in ADDRESSES:
        answer = install(jira, baseUrl=address)
        assert (answer.status_code, answer.json()) == (
            400,
            {"error": "baseUrl is not the address of a Jira Cloud site"},
        )
    assert sites.list_sites(database) == []


host = st.text("abz09-.@:/%[]?#\\ \nАé", max_size=12)
ends = st.sampled_from([".atlassian.net", ".jira.com", "atlassian.net", ".atlassian.net.evil", ""])
scheme = st.sampled_from(["https://", "http://", "HTTPS://", "//", "https:/", ""])


@given(st.tuples(scheme, host, ends, host).map("".join), st.booleans())
def test_addresses_near_a_right_one(url: str, loopback: bool) -> None:
    """What is let through goes where it says, by the eyes of another parser."""
    address = site_address(url, loopback=loopback)
    if address is not None:
        parts = urlsplit(address)
        assert address == url.rstrip("/")
        assert parts.netloc == parts.hostname
        assert parts.scheme == "https"
        assert str(parts.hostname).endswith((".atlassian.net", ".jira.com"))
        assert (parts.path, parts.query, parts.fragment) == ("", "", "")
    assert forge_api(url, loopback=loopback) is None


def test_a_jira_on_this_machine_is_for_the_sandbox() -> None:
    for url in ("http://127.0.0.1:8080", "http://localhost:1/"):
        assert site_address(url, loopback=False) is None
        assert site_address(url, loopback=True) == url.rstrip("/")
    api = "http://127.0.0.1:8080/ex/jira/c1"
    assert forge_api(api, loopback=False) is None
    assert forge_api(api, loopback=True) == (api, "c1")
    for url in (
        "http://127.0.0.1.evil.example:1",
        "http://127.0.0.1:1@evil.example",
        "http://10.0.0.1:1",
    ):
        assert site_address(url, loopback=True) is None


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_odd_bodies(jira: TestClient, database: Database) -> None:  # A24
    for content in BODIES.values():
        assert post(jira, INSTALLED, lifecycle(), content).status_code == 400
        assert unknown(post(jira, INSTALLED, symmetric(SECRET), content))
    for client_key in (None, "", 7, "a" * 129, "\ud800", "a b", ["a"], "somebody-else"):
        assert unknown(post(jira, INSTALLED, lifecycle(), body(clientKey=client_key)))
    for secret in (None, "", "x" * 31, 7, ["x" * 43]):
        assert install(jira, sharedSecret=secret).status_code == 400
    assert install(jira, sharedSecret="\ud800" * 43).status_code == 400
    assert (
        jira.post(
            INSTALLED, content=b"x" * 100_001, headers={"authorization": f"JWT {lifecycle()}"}
        ).status_code
        == 413
    )
    assert sites.list_sites(database) == []


# Installing again


def test_an_install_replaces_the_secret(jira: TestClient, database: Database) -> None:
    install(jira)
    first = sites.get_site(database, "acme")
    installs.learn_account(database, "acme", "app-account")
    sites.add_project(database, project("acme", first["connected_at"]))
    assert deliver(jira).status_code == 200
    assert install(jira, sharedSecret=LATER).json() == {"site": "acme"}
    assert unknown(deliver(jira))
    assert deliver(jira, LATER).status_code == 200
    second = sites.get_site(database, "acme")
    assert second["connected_at"] > first["connected_at"]
    assert second["account_id"] == ""
    (row,) = sites.list_projects(database, "acme")
    assert row["connected_at"] == second["connected_at"]  # labels of before start nothing


def project(site_id: str, at: datetime) -> dict[str, Any]:
    return {
        "site_id": site_id,
        "key": "BILL",
        "mode": "auto",
        "threshold": 70,
        "must_haves": [],
        "base_branch": "main",
        "agent": "rehearsal",
        "attempts": 1,
        "attempt_cap": 1,
        "attempt_seconds": 60,
        "slots": 1,
        "open_pull_requests": 4,
        "without_cage": True,
        "connected_at": at,
    }


def test_a_known_jira_does_not_move(jira: TestClient, database: Database) -> None:  # A06
    install(jira)
    before = sites.get_site(database, "acme")
    answer = install(jira, baseUrl="https://elsewhere.atlassian.net", sharedSecret=LATER)
    assert answer.status_code == 409
    assert answer.json()["error"].startswith("this Jira is known under another address")
    assert sites.list_sites(database) == [before]
    other = post(jira, INSTALLED, lifecycle(issuer="jira:other"), body(sharedSecret=LATER))
    assert unknown(other)
    assert sites.list_sites(database) == [before]
    assert deliver(jira).status_code == 200


def test_a_taken_name_gets_a_number(jira: TestClient, database: Database) -> None:
    made = [
        install(jira, clientKey=f"jira:{number}", baseUrl=address).json()["site"]
        for number, address in enumerate((ADDRESS, "https://acme.jira.com", ADDRESS))
    ]
    assert made == ["acme", "acme-2", "acme-3"]
    long = install(jira, clientKey="jira:long", baseUrl=f"https://{'-' + 'a' * 62}.atlassian.net")
    assert long.json() == {"site": "a" * 50}
    assert sites.get_site(database, "a" * 50)["client_key"] == "jira:long"


# Uninstalling


def uninstall(client: TestClient, issuer: str = KEY) -> Any:
    content = body(eventType="uninstalled", sharedSecret=None, clientKey=issuer)
    return post(client, UNINSTALLED, lifecycle(UNINSTALLED, issuer), content)


def add_run(db: Database, site_id: str, number: int) -> None:
    now = datetime.now(UTC)
    values = {
        "site_id": site_id,
        "issue_id": str(number),
        "number": 1,
        "key": f"BILL-{number}",
        "project_key": "BILL",
        "trigger_id": "label:1",
        "actor": "user-1",
        "triggered_at": now,
        "agent": "rehearsal",
        "simulated": True,
        "repository": "r",
        "base_branch": "main",
        "spec_hash": "h",
        "spec_as_of": now,
        "step": 0,
        "created_at": now,
    }
    with db.write() as c:
        c.execute(run.insert().values(**values))


def stops(db: Database) -> dict[tuple[str, str], str | None]:
    with db.read() as c:
        found = c.execute(sa.select(run.c.site_id, run.c.issue_id, run.c.stop_why)).all()
    return {(row.site_id, row.issue_id): row.stop_why for row in found}


def test_an_uninstall_ends_it_all(jira: TestClient, database: Database) -> None:
    install(jira)
    install(jira, clientKey="jira:other", baseUrl="https://other.atlassian.net")
    add_run(database, "acme", 1)
    add_run(database, "other", 2)
    with structlog.testing.capture_logs() as logs:
        assert uninstall(jira).json() == {"site": "acme"}
    told = [(e["event"], e["site"], e["runs_to_stop"]) for e in logs]
    assert told == [("uninstalled", "acme", 1)]
    row = sites.get_site(database, "acme")
    assert (row["token"], row["uninstalled_at"] is not None) == ("", True)
    assert stops(database) == {("acme", "1"): installs.UNINSTALLED, ("other", "2"): None}
    for secret in (SECRET, "", "-", "-" * 32):
        assert unknown(deliver(jira, secret))
    assert deliver(jira, issuer="jira:other").status_code == 200
    assert uninstall(jira).status_code == 200  # a repeat
    assert sites.get_site(database, "acme") == row
    assert install(jira, sharedSecret=LATER).json() == {"site": "acme"}
    assert sites.get_site(database, "acme")["uninstalled_at"] is None
    assert unknown(deliver(jira))
    assert deliver(jira, LATER).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_nobody_uninstalls_another(jira: TestClient, database: Database) -> None:
    install(jira)
    assert unknown(uninstall(jira, "jira:unknown"))
    content = body(eventType="uninstalled")
    for token in (
        lifecycle(UNINSTALLED, "jira:other"),
        lifecycle(INSTALLED),
        hs256(claims(KEY, "POST", UNINSTALLED), SECRET),
        hs256(claims(KEY, "POST", UNINSTALLED, aud=[URL]), SECRET, kid="connect-key"),
    ):
        assert unknown(post(jira, UNINSTALLED, token, content))
    assert sites.get_site(database, "acme")["uninstalled_at"] is None


def test_the_descriptor_names_our_address(jira: TestClient) -> None:
    told = jira.get("/atlassian-connect.json").json()
    assert told["baseUrl"] == URL
    assert told["links"] == {"self": f"{URL}/atlassian-connect.json"}
    doors = {*told["lifecycle"].values(), *(h["url"] for h in told["modules"]["webhooks"])}
    assert {jira.post(door).status_code for door in doors} == {401}
