"""A Forge app's remote: whose invocations are taken, what becomes of events and tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers
from starlette.testclient import TestClient

from app.core.events import read_event
from app.core.forge_body import LIKE, read_forge_event
from app.intake.fit import verify_fit
from app.intake.signature import BadSignature
from app.intake.tokens import Trust
from app.ports import Transient
from app.store import installs, sites
from app.store.database import Database
from tests.web.signers import (
    APP,
    CLOUD,
    KID,
    URL,
    KeyServer,
    claims,
    fit,
    fit_claims,
    hs256,
    pem,
    rs256,
    system_token,
)

Rows = Callable[[], list[sa.RowMapping]]
WRONG = b'{"error":"missing or wrong signature"}'
ROUTES = {
    f"{URL}/forge/events": "signalbox-events",
    f"{URL}/forge/scheduled": "signalbox-scheduled",
    f"{URL}/forge/installed": "signalbox-installed",
    f"{URL}/forge/uninstalled": "signalbox-uninstalled",
}
EVENTS, SCHEDULED, INSTALLED, UNINSTALLED = ROUTES
OTHER = "00000000-0000-4000-8000-0000000000c2"
OWN = "signalbox-app-account"


def event(name: str = "avi:jira:updated:issue", **more: Any) -> bytes:
    told = {"eventType": name, "issue": {"id": "10001", "key": "BILL-1"}, **more}
    return json.dumps({"atlassianId": "user-1", **told}).encode()


def labels(changelog_id: str | None = "5") -> dict[str, Any]:
    item = {"field": "labels", "fieldId": "labels", "fromString": "", "toString": "agent-ready"}
    return {"id": changelog_id, "items": [item]} if changelog_id else {"items": [item]}


def call(client: TestClient, url: str, body: bytes = b"{}", token: str = "", **more: Any) -> Any:
    """With a token for the route's own module, unless another is handed in."""
    system = more.pop("system", None)
    token = token or fit(ROUTES[url], **more)
    headers = {"authorization": f"Bearer {token}"}
    if system is not None:
        headers["x-forge-oauth-system"] = system
    return client.post(url, content=body, headers=headers)


def unknown(answer: Any) -> bool:
    return (answer.status_code, answer.content) == (401, WRONG)


def the_site(db: Database, name: str = "acme") -> sa.RowMapping:
    return sites.get_site(db, name)


# The token


def app_claim(**changed: Any) -> dict[str, Any]:
    return {**fit_claims("signalbox-events")["app"], **changed}


def at(seconds: float) -> int:
    return int(time.time() + seconds)


FORGED: dict[str, Callable[[], str]] = {
    "HS256 with the public key": lambda: hs256(
        fit_claims("signalbox-events"), pem("forge"), kid=KID
    ),
    "HS256 without a key": lambda: hs256(fit_claims("signalbox-events"), "", kid=KID),
    "no algorithm": lambda: (
        hs256(fit_claims("signalbox-events"), "", kid=KID, alg="none").rpartition(".")[0] + "."
    ),
    "another's key": lambda: rs256(fit_claims("signalbox-events"), "somebody", KID),
    "an unknown key": lambda: rs256(fit_claims("signalbox-events"), "forge", "unknown"),
    "the key of installs": lambda: rs256(fit_claims("signalbox-events"), "connect", "connect-key"),
    "another app": lambda: fit("signalbox-events", aud=APP[:-1] + "2"),
    "no app": lambda: fit("signalbox-events", aud=None),
    "another issuer": lambda: fit("signalbox-events", iss="forge/something-else"),
    "no issuer": lambda: fit("signalbox-events", iss=None),
    "over": lambda: fit("signalbox-events", iat=at(-200), nbf=at(-200), exp=at(-61)),
    "not yet": lambda: fit("signalbox-events", nbf=at(100), exp=at(200)),
    "from the future": lambda: fit("signalbox-events", iat=at(100), exp=at(200)),
    "for ever": lambda: fit("signalbox-events", exp=at(10**8)),
    "without exp": lambda: fit("signalbox-events", exp=None),
    "without iat": lambda: fit("signalbox-events", iat=None),
    "without nbf": lambda: fit("signalbox-events", nbf=None),
    "another module": lambda: fit("signalbox-panel"),
    "no module": lambda: fit("signalbox-events", app=app_claim(module=None)),
    "a module that is a list": lambda: fit(
        "signalbox-events", app=app_claim(module={"key": ["signalbox-events"]})
    ),
    "no app claim": lambda: fit("signalbox-events", app=None),
    "an app that is a text": lambda: fit("signalbox-events", app="app"),
    "two sites": lambda: fit("signalbox-events", context={"cloudId": OTHER}),
    "a cloud id that is a list": lambda: fit("signalbox-events", context={"cloudId": [CLOUD]}),
    "Confluence": lambda: fit(
        "signalbox-events",
        app=app_claim(apiBaseUrl=f"https://api.atlassian.com/ex/confluence/{CLOUD}"),
    ),
    "an address of somebody's": lambda: fit(
        "signalbox-events", app=app_claim(apiBaseUrl=f"https://evil.example/ex/jira/{CLOUD}")
    ),
    "an address on this machine": lambda: fit(
        "signalbox-events", app=app_claim(apiBaseUrl=f"http://127.0.0.1:1/ex/jira/{CLOUD}")
    ),
    "a Connect token": lambda: hs256(claims("jira:1", "POST", EVENTS), "x" * 43),
}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
@pytest.mark.parametrize("token", FORGED.values(), ids=FORGED.keys())
def test_a_forged_call_leaves_nothing(
    jira: TestClient, database: Database, rows: Rows, token: Callable[[], str]
) -> None:
    answer = call(jira, EVENTS, event(), token(), system=system_token())
    assert unknown(answer)
    assert answer.headers["content-type"] == "application/json"
    assert (rows(), sites.list_sites(database)) == ([], [])


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_module_opens_its_own_route(jira: TestClient, rows: Rows) -> None:
    for url in ROUTES:
        for other in (*ROUTES.values(), "signalbox-agent", "signalbox-panel"):
            if other != ROUTES[url]:
                assert unknown(call(jira, url, event(), fit(other)))
    assert rows() == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_one_token_each(jira: TestClient, database: Database) -> None:
    right = ("authorization", f"Bearer {fit('signalbox-events')}")
    system = ("x-forge-oauth-system", system_token())
    scheme = ("authorization", right[1].replace("Bearer", "JWT"))
    for headers in ([], [right, right], [scheme], [right, system, system]):
        assert unknown(jira.post(EVENTS, content=event(), headers=headers))
    assert sites.list_sites(database) == []
    assert jira.post(EVENTS, content=event(), headers=[right, system]).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_no_request_leaves_for_a_bad_key_id(jira: TestClient, keys: KeyServer) -> None:  # A04
    for kid in ("../x", "https://evil.example", "a//b", "", "k" * 129, None, 7):
        token = hs256(fit_claims("signalbox-events"), "x", kid=kid, alg="RS256")
        assert unknown(call(jira, EVENTS, event(), token))
    assert keys.asked == []
    keys.fault = Transient("Forge's keys could not be read.")
    assert call(jira, EVENTS, event()).status_code == 503


def test_without_a_forge_app_nobody_comes_in() -> None:
    keys, headers = KeyServer(), Headers({"authorization": f"Bearer {fit('m', aud='')}"})
    with pytest.raises(BadSignature, match="no Forge app"):
        verify_fit(Trust(keys, ""), headers, {"m"}, datetime.now(UTC))
    assert keys.asked == []


def test_what_an_invocation_says() -> None:
    about = {"cloudId": CLOUD, "extension": {"issue": {"id": "1"}}}
    told = [
        ("authorization", "bearer " + fit("m", context=about, principal="user-2")),
        ("x-forge-oauth-system", "Bearer " + "s.y.s"),
        ("x-forge-oauth-user", "u.s.r"),
    ]
    headers = Headers(raw=[(name.encode(), value.encode()) for name, value in told])
    seen = verify_fit(Trust(KeyServer(), APP), headers, {"m", "n"}, datetime.now(UTC))
    assert (seen.cloud_id, seen.module_key, seen.account_id) == (CLOUD, "m", "user-2")
    assert (seen.system_token, seen.user_token) == ("s.y.s", "u.s.r")
    assert (seen.site_url, seen.context) == ("", about)
    assert "s.y.s" not in repr(seen)
    assert "u.s.r" not in repr(seen)


# Sites and their tokens


def test_the_first_call_makes_the_site(jira: TestClient, database: Database) -> None:
    token = system_token()
    with structlog.testing.capture_logs() as logs:
        answer = call(jira, INSTALLED, system=token)
    assert (answer.status_code, answer.json()) == (200, {"site": "acme"})
    row = the_site(database)
    assert (row["connection"], row["cloud_id"], row["client_key"]) == ("forge", CLOUD, None)
    assert row["api_url"] == f"https://api.atlassian.com/ex/jira/{CLOUD}"
    assert row["browse_url"] == "https://acme.atlassian.net"
    assert (row["account_id"], row["label"], row["zone"]) == ("", "agent-ready", "UTC")
    assert abs(row["token_expires_at"].timestamp() - time.time() - 3600) < 10
    assert token not in str(dict(row)) + str(logs)
    assert [entry["event"] for entry in logs] == ["installed"]


def test_any_call_makes_the_site(jira: TestClient, database: Database, rows: Rows) -> None:
    answer = call(jira, EVENTS, event(changelog=labels()), system=system_token())
    assert answer.json() == {"delivery": rows()[0]["id"]}
    assert rows()[0]["site_id"] == the_site(database)["id"] == "acme"
    other = call(jira, SCHEDULED, cloud=OTHER, system=system_token())
    assert other.json() == {"site": "acme-2"}


def test_a_lifecycle_call_may_know_no_address(jira: TestClient, database: Database) -> None:
    assert call(jira, INSTALLED, context=None).json() == {"site": "jira"}
    row = the_site(database, "jira")
    assert (row["browse_url"], row["token"]) == (row["api_url"], "")
    call(jira, SCHEDULED)
    assert the_site(database, "jira")["browse_url"] == "https://acme.atlassian.net"
    evil = {"cloudId": CLOUD, "siteUrl": "https://evil.example"}
    call(jira, SCHEDULED, context=evil)
    assert the_site(database, "jira")["browse_url"] == "https://acme.atlassian.net"


def test_tokens_are_kept_fresh(jira: TestClient, database: Database) -> None:
    def kept() -> tuple[str, float]:
        row = the_site(database)
        return row["token"], row["token_expires_at"].timestamp() - time.time()

    call(jira, INSTALLED, system=system_token(600))
    first = kept()
    call(jira, SCHEDULED, system=system_token(3000))
    second = kept()
    assert second[0] != first[0]
    assert abs(second[1] - 3000) < 10
    for useless in (system_token(2000), "no.to.ken", "opaque", "", "é", hs256({}, "k"), "a b"):
        assert call(jira, EVENTS, event(), system=useless.encode()).status_code == 200
    assert kept()[0] == second[0]
    assert unknown(call(jira, SCHEDULED, token=fit("other"), system=system_token(9000)))
    forged = rs256(fit_claims("signalbox-scheduled"), "somebody", KID)
    assert unknown(call(jira, SCHEDULED, token=forged, system=system_token(9000)))
    assert kept()[0] == second[0]


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_a_token_that_has_ended_is_not_kept(jira: TestClient, database: Database) -> None:
    call(jira, INSTALLED, system=system_token(-5))
    assert (the_site(database)["token"], the_site(database)["token_expires_at"]) == ("", None)


def test_an_uninstall_ends_it_all(jira: TestClient, database: Database, rows: Rows) -> None:
    call(jira, INSTALLED, system=system_token())
    call(jira, INSTALLED, cloud=OTHER, system=system_token())
    assert call(jira, UNINSTALLED).json() == {"site": "acme"}
    row = the_site(database)
    assert (row["token"], row["uninstalled_at"] is not None) == ("", True)
    assert unknown(call(jira, EVENTS, event(), system=system_token()))
    assert unknown(call(jira, SCHEDULED, system=system_token(), iat=at(-3), nbf=at(-3)))
    assert the_site(database) == row
    assert rows() == []
    assert the_site(database, "acme-2")["uninstalled_at"] is None
    assert call(jira, INSTALLED, system=system_token(), iat=at(2)).json() == {"site": "acme"}
    again = the_site(database)
    assert again["connected_at"] > row["connected_at"]
    assert (again["uninstalled_at"], again["token"] != "") == (None, True)
    assert call(jira, EVENTS, event()).status_code == 200


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_nobody_uninstalls_another(jira: TestClient, database: Database) -> None:
    call(jira, INSTALLED)
    assert unknown(call(jira, UNINSTALLED, cloud=OTHER))
    assert unknown(call(jira, UNINSTALLED, token=fit("signalbox-installed")))
    assert the_site(database)["uninstalled_at"] is None


# Events


def test_a_repeat_is_one_row(jira: TestClient, rows: Rows) -> None:
    token, body = fit("signalbox-events"), event()
    answers = [call(jira, EVENTS, body, token).json() for _ in range(2)]
    assert answers[0] == answers[1]
    call(jira, EVENTS, body)  # the same words of another call: something happened again
    assert len(rows()) == 2


def test_assigned_and_updated_are_one_change(jira: TestClient, rows: Rows) -> None:
    change = {"id": "77", "items": [{"field": "assignee", "from": None, "to": "app-account"}]}
    for name in ("avi:jira:assigned:issue", "avi:jira:updated:issue"):
        call(jira, EVENTS, event(name, changelog=change))
    (row,) = rows()
    assert (row["kind"], row["outcome"]) == ("ticket", None)


def test_a_webhook_and_an_event_have_one_key() -> None:
    changelog = labels()
    hook = {"webhookEvent": "jira:issue_updated", "issue": {"id": "10001"}, "changelog": changelog}
    comment = {"id": "7", "updated": "2026-11-23T09:00:00.000+0100", "author": {"accountId": "u"}}
    noted = {"webhookEvent": "comment_updated", "issue": {"id": "10001"}, "comment": comment}
    pairs = (
        (hook, event(changelog=changelog)),
        (noted, event("avi:jira:commented:issue", comment=comment)),
        (noted, event("avi:jira:mentioned:comment", comment=comment)),
    )
    for told, body in pairs:
        first = read_event(json.dumps(told).encode(), OWN)
        second = read_forge_event(body, OWN)
        assert first.once_key is not None
        assert (second.once_key, second.kind) == (first.once_key, first.kind)


CHANGELOGS: dict[str, tuple[Any, str | None]] = {
    "an object": (labels(), "issue:10001:changelog:5"),
    "an object without id": (labels(None), None),
    "a list of one": ([labels()], "issue:10001:changelog:5"),
    "a list of items": (labels()["items"], None),
    "a list of two": ([labels(), labels("6")], None),
    "a list with something else in it": ([None, 7, *labels()["items"]], None),
    "nothing": (None, None),
}


@pytest.mark.parametrize("case", CHANGELOGS.values(), ids=CHANGELOGS.keys())
def test_both_forms_of_a_changelog(case: tuple[Any, str | None]) -> None:
    changelog, once = case
    seen = read_forge_event(event(changelog=changelog), OWN)
    assert (seen.outcome, seen.kind, seen.once_key) == ("", "ticket", once)


def test_what_does_not_matter_is_ignored() -> None:
    rank = [{"field": "Rank", "from": "", "to": ""}, {"fieldId": "assignee", "to": "somebody"}]
    for changelog in ({"items": rank}, rank):
        seen = read_forge_event(event(changelog=changelog), OWN)
        assert (seen.outcome, seen.reason) == ("ignored", "changed only assignee, rank")
    for to in ({"to": OWN}, {"from": OWN}):
        ours = [{"field": "assignee", **to}]
        assert read_forge_event(event(changelog=ours), OWN).outcome == ""
    assert read_forge_event(event(changelog=rank), "").outcome == ""  # it may be us


def test_our_own_events_are_ignored() -> None:
    comment = {"id": "7", "author": {"accountId": OWN}}
    for body in (
        event(atlassianId=OWN),
        event(selfGenerated=True),
        event("avi:jira:commented:issue", comment=comment, atlassianId=None),
        event("avi:jira:commented:issue", comment=comment, atlassianId=OWN),
    ):
        seen = read_forge_event(body, OWN)
        assert (seen.outcome, seen.reason) == ("ignored", "our own change")
    assert read_forge_event(event(selfGenerated=False), OWN).outcome == ""


def test_names() -> None:
    for name in LIKE:
        seen = read_forge_event(event(name, comment={"id": "7"}), OWN)
        assert (seen.outcome, seen.name) == ("", name)
    for name in ("avi:jira:viewed:issue", "avi:jira:deleted:comment", "jira:issue_updated", "x"):
        assert read_forge_event(event(name), OWN).outcome == "unsupported"


ODD = [
    *(b"", b"{", b"[]", b'{"eventType": "\xff"}', b'{"eventType": NaN}', b'{"eventType": []}'),
    *(b'{"issue": {"id": "1"}}', b'{"eventType": "a", "eventType": "b"}', b'{"a":' * 100),
    event(issue=None),
    event(issue={"key": "BILL-1"}),
    event(issue=[]),
    event(changelog="x"),
    event(changelog={"items": "x"}),
    event("avi:jira:commented:issue", comment={}),
    event("avi:jira:commented:issue", comment=[]),
    event("\ud800"),
]


def test_odd_bodies_are_malformed(jira: TestClient, rows: Rows) -> None:  # A24
    for body in ODD:
        assert unknown(call(jira, EVENTS, body, fit("other")))
        assert call(jira, EVENTS, body).status_code == 200
    assert [row["outcome"] for row in rows()] == ["malformed"] * len(ODD)
    assert call(jira, EVENTS, b"x" * 100_001).status_code == 413


known = ["eventType", "issue", "comment", "changelog", "items", "id", "atlassianId", "field"]
words = st.sampled_from([*LIKE, "1", "labels", OWN]) | st.text(max_size=4)
values = st.recursive(
    st.none() | st.booleans() | st.floats() | words,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(known), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(st.binary(max_size=100) | values.map(lambda value: json.dumps(value).encode()))
def test_reading_never_raises(body: bytes) -> None:
    seen = read_forge_event(body, OWN)
    assert seen.outcome in ("", "ignored", "unsupported", "malformed")
    assert seen.outcome or seen.issue_id


def test_sites_of_other_kinds_are_not_met(jira: TestClient, database: Database) -> None:
    """A Connect site with the same address is another one: its identity is another."""
    new = installs.Install("connect", CLOUD, "https://acme.atlassian.net", "b", "t", "acme")
    installs.install(database, new, datetime.now(UTC))
    assert call(jira, INSTALLED, system=system_token()).json() == {"site": "acme-2"}
    assert the_site(database)["connection"] == "connect"
