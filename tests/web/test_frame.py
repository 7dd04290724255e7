"""Signing in inside Jira's frame, what a page may do there, and what stays closed."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.admin.frame_markup import web_link
from app.admin.frame_tokens import Ended, Sessions, Viewer
from app.ports import Account
from app.store import installs, sites
from app.store.database import Database
from tests.browser.frames import (
    ADMIN,
    APPROVER,
    HOSTILE,
    KEY,
    LONG_AGO,
    READER,
    Stage,
    fill,
)

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors "
)


@pytest.fixture
def dialect() -> str:
    """One is enough here: test_surfaces.py asks both."""
    return "sqlite"


@pytest.fixture
def stage(database: Database) -> Stage:
    made = Stage(database)
    fill(made)
    return made


@pytest.fixture
def client(stage: Stage) -> TestClient:
    return TestClient(stage.app())


def token_of(page: Any) -> str:
    return str(page.text.split('name="signalbox-token" content="')[1].split('"')[0])


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def press(
    client: TestClient,
    token: str,
    command: str,
    nonce: str = "nonce-of-a-page",
    surface: str = "panel",
) -> Any:
    wish = {"command": command, "nonce": nonce}
    return client.post(f"/surfaces/{surface}/press", json=wish, headers=bearer(token))


@pytest.mark.parametrize(
    ("surface", "of"), [("panel", "10001"), ("project", "BILL"), ("admin", "")]
)
def test_a_page_in_the_frame(client: TestClient, stage: Stage, surface: str, of: str) -> None:
    page = client.get(stage.address(surface, of, ADMIN))
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == CSP + "https://acme.example"
    assert page.headers["referrer-policy"] == "no-referrer"
    assert page.headers["cache-control"] == "no-store"
    assert "set-cookie" not in page.headers
    assert "<script>" not in page.text
    assert "style=" not in page.text
    assert "onclick" not in page.text


def test_every_file_of_ours_is_there_and_no_other(client: TestClient) -> None:
    for name in ("frame.css", "frame.js", "surface.js", "connect.js", "icon.svg", "admin.css"):
        assert client.get(f"/static/{name}").status_code == 200
    for name in ("..%2fpages.py", "pages.py", "frame.html"):
        assert client.get(f"/static/{name}").status_code == 404


def test_a_page_of_another_request_is_refused(client: TestClient, stage: Stage) -> None:
    """qsh binds the token to the page that Jira opened (A11)."""
    token = stage.address("panel", "10001").split("jwt=")[1]
    for path in (
        f"/surfaces/panel?issue=10002&jwt={token}",
        f"/surfaces/admin?jwt={token}",
        f"/surfaces/panel?issue=10001&jwt={token}x",
    ):
        answer = client.get(path)
        assert answer.status_code == 401
        assert answer.headers["content-security-policy"] == CSP + "'none'"
        assert "signalbox-token" not in answer.text


def test_alone_it_is_for_who_runs_signalbox(client: TestClient) -> None:
    path = "/surfaces/panel?site=acme&issue=BILL-2"
    assert client.get(path).status_code == 401
    page = client.get(path, auth=("admin", "pages"))
    assert page.status_code == 200
    assert page.headers["content-security-policy"] == CSP + "'none'"
    assert "data-command" not in page.text, "nobody of Jira, so no button"
    assert press(client, token_of(page), "score").status_code == 403
    assert client.get("/surfaces/admin?site=acme", auth=("admin", "pages")).status_code == 200
    assert client.get("/surfaces/admin?site=nobody", auth=("admin", "pages")).status_code == 404


def test_nobody_signed_in_is_no_admin(client: TestClient, stage: Stage) -> None:
    """On a public Jira the frame's token names no account."""
    assert client.get(stage.address("admin", who="")).status_code == 403
    page = client.get(stage.address("panel", "10002", who=""))
    assert page.status_code == 200
    assert "data-command" not in page.text


def test_what_is_of_another_site_is_not_there(client: TestClient, stage: Stage) -> None:
    """Same answer for what another site has, what nobody has, and what cannot be a name."""
    stage.project(site_id="other")
    told = {
        (answer.status_code, answer.text)
        for of in ("10001", "BILL-1", "999999", "../10001", "")
        for answer in [client.get(stage.address("panel", of, site="other"))]
    }
    assert len(told) == 1
    assert next(iter(told))[0] == 404
    assert client.get(stage.address("project", "bill; drop", site="other")).status_code == 404
    page = client.get(stage.address("project", "BILL", site="other")).text
    assert "BILL-1" not in page
    installs.uninstall(stage.db, "acme", stage.clock.now())
    assert client.get(stage.address("panel", "10001")).status_code == 401


def test_a_token_is_for_one_surface(client: TestClient, stage: Stage) -> None:
    token = token_of(client.get(stage.address("panel", "10001", ADMIN)))
    assert client.get("/surfaces/panel/fragment", headers=bearer(token)).status_code == 200
    assert client.get("/surfaces/admin/fragment", headers=bearer(token)).status_code == 401
    assert press(client, token, "pause", surface="project").status_code == 401
    for bad in ("", "x.y.z", jwt.encode({"site": "acme"}, KEY, algorithm="HS256")):
        assert client.get("/surfaces/panel/fragment", headers=bearer(bad)).status_code == 401


def test_a_page_stays_open_for_eight_hours(client: TestClient, stage: Stage) -> None:
    token = token_of(client.get(stage.address("panel", "10001")))
    hours = 0.0
    while (answer := client.get("/surfaces/panel/fragment", headers=bearer(token))).is_success:
        token = answer.json()["token"]
        stage.clock.tick(600)
        hours += 600 / 3600
    assert answer.status_code == 401
    assert 8 <= hours < 8.25
    fresh = token_of(client.get(stage.address("panel", "10001")))
    stage.clock.tick(15 * 60 + 61)
    assert client.get("/surfaces/panel/fragment", headers=bearer(fresh)).status_code == 401


def test_a_page_that_ticks_leaves_jira_alone(client: TestClient, stage: Stage) -> None:
    page = client.get(stage.address("panel", "10003"))
    token, mark = token_of(page), page.text.split('data-mark="')[1].split('"')[0]
    asked = stage.jira.calls.count("ticket")
    first = client.get(f"/surfaces/panel/fragment?mark={mark}", headers=bearer(token)).json()
    assert (first["html"], first["mark"]) == (None, mark)
    assert stage.jira.calls.count("ticket") == asked
    with stage.db.write() as c:
        c.exec_driver_sql("update run set sign_at = sign_at + 60000000 where issue_id = '10003'")
    then = client.get(f"/surfaces/panel/fragment?mark={mark}", headers=bearer(token)).json()
    assert "Last sign of life 10:01" in then["html"]
    assert then["mark"] != mark


def test_a_press_is_written_down_once(client: TestClient, stage: Stage) -> None:
    page = client.get(stage.address("panel", "10002"))
    nonce = page.text.split('data-command="approve" data-nonce="')[1].split('"')[0]
    first = press(client, token_of(page), "approve", nonce)
    again = press(client, token_of(page), "approve", nonce)
    assert first.json()["said"] == "Approve this text: asked at 10:00 CET."
    assert "it is being done" in first.json()["html"]
    assert 'data-command="approve"' not in first.json()["html"]
    assert again.status_code == 200
    (row,) = stage.pressed()
    told = json.loads(row["body"])
    assert (row["issue_id"], told["command"], told["account_id"]) == ("10002", "approve", APPROVER)
    assert stage.jira.calls.count("put_comment") == 0


@pytest.mark.parametrize("command", ["approve", "stop", "retry", "pause", "budget", "", "x" * 30])
def test_who_may_not_press_changes_nothing(client: TestClient, stage: Stage, command: str) -> None:
    """A13: an ordinary person's page calls what only others may do."""
    token = token_of(client.get(stage.address("panel", "10003", READER)))
    assert press(client, token, command).status_code in (400, 403)
    project = token_of(client.get(stage.address("project", "BILL", APPROVER)))
    assert press(client, project, "pause", surface="project").status_code == 403
    assert stage.pressed() == []


def test_a_right_taken_away_while_the_page_is_open(client: TestClient, stage: Stage) -> None:
    token = token_of(client.get(stage.address("panel", "10003")))
    stage.jira.give("BILL", APPROVER)
    assert press(client, token, "stop").status_code == 403
    stage.away()
    answer = press(client, token, "stop")
    assert answer.status_code == 503
    assert "Nothing was done" in answer.json()["error"]
    assert stage.pressed() == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b'{"command": 1}', b"x" * 9000])
def test_an_odd_body_is_refused(client: TestClient, stage: Stage, body: bytes) -> None:
    token = token_of(client.get(stage.address("panel", "10003")))
    answer = client.post("/surfaces/panel/press", content=body, headers=bearer(token))
    assert answer.status_code == 400
    assert client.post("/surfaces/panel/press", content=body).status_code == 401


def test_hostile_strings_stay_text(client: TestClient, stage: Stage) -> None:
    """A49, in every place where a string from outside can stand."""
    ticket = stage.ticket(60, HOSTILE, HOSTILE + " maybe in the background? See " + HOSTILE)
    decision = {
        "decision": "defer",
        "run": None,
        "reasons": [{"code": "blocked", "text": HOSTILE, "next": HOSTILE}],
    }
    stage.judged(ticket, "ready", 90, decision=decision)
    ref = stage.run(ticket, doing=HOSTILE)
    stage.jira.accounts[APPROVER] = Account(APPROVER, HOSTILE, "atlassian")
    pages = [stage.address("panel", "10060"), stage.address("project", "BILL")]
    texts = [client.get(page).text for page in pages]
    stage.end(ref, pull_request="javascript:alert(1)", change=HOSTILE)
    texts.append(client.get(pages[0]).text)
    for text in texts:
        assert "<img" not in text
        assert "{{7*7}}" in text or "BILL-60" not in text
        assert "javascript:" not in text
    assert "&lt;img src=x onerror=alert(1)&gt;" in texts[0]


@given(st.text(max_size=80))
def test_only_the_web_is_linked(url: str) -> None:
    found = web_link(url)
    assert found is None or found.lower().startswith(("http://", "https://"))
    for scheme in ("javascript:", "data:", "mailto:", "vbscript:", " javascript:", "JavaScript:"):
        assert web_link(scheme + url) is None


def test_keys_can_be_changed() -> None:
    """The first of several keys signs; pages signed with an older one go on."""
    viewer = Viewer("acme", "acc", "panel", "10001", LONG_AGO)
    now = LONG_AGO + timedelta(minutes=1)
    old, both = Sessions("old key"), Sessions("new key,old key")
    assert both.read(old.issue(viewer, now), now) == viewer
    assert Sessions("new key").read(both.issue(viewer, now), now) == viewer
    with pytest.raises(Ended):
        old.read(both.issue(viewer, now), now)


def test_a_session_is_no_token_of_another_kind() -> None:
    sessions = Sessions(KEY)
    now = LONG_AGO
    header = base64.urlsafe_b64encode(b'{"alg":"none"}').rstrip(b"=").decode()
    body = sessions.issue(Viewer("acme", "acc", "admin", "", now), now).split(".")[1]
    for token in (f"{header}.{body}.", f"{header}.{body}.x"):
        with pytest.raises(Ended):
            sessions.read(token, now)


def test_paused_sites_still_show_their_pages(client: TestClient, stage: Stage) -> None:
    sites.set_paused(stage.db, "acme", None, stage.clock.now())
    assert "paused" in client.get(stage.address("admin", who=ADMIN)).text
    assert "paused" in client.get(stage.address("project", "BILL")).text
