"""Two sites with the same tickets in one installation: on no route does one learn of the other.

ROUTES says for every route how a caller of one site who names what is the other's is answered:
byte for byte as one who names what nobody has. A route that is not listed fails the test.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from starlette.testclient import TestClient

from app import main
from app.adapters.jira_session import Way
from app.adapters.jira_sites import Trackers
from app.adapters.memory import MemorySecrets
from app.admin.frame_tokens import Viewer
from app.config import Settings
from app.intake.receive import receive
from app.intake.tokens import Trust
from app.sandbox.story import QUOTING
from app.store import inbox, sites
from app.store.database import Database
from app.store.schema import inbox as inbox_table
from app.store.schema import metadata, site
from tests.browser.frames import APPROVER, KEY, SECRET, Stage
from tests.web import connecting
from tests.web.conftest import sign
from tests.web.signers import APP, CLOUD, URL, KeyServer, claims, fit, hs256

pytestmark = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
TWIN_CLOUD = "00000000-0000-4000-8000-0000000000c2"
THEIRS, NOBODYS = "10099", "10098"
MARKS = (b"twin", b"TWIN", b"client-other")
OF_THE_TWIN = ("other", "hook-b", "rule-b", "forge-b")
HOOK = b'{"webhookEvent": "jira:issue_updated", "timestamp": 1, "issue": {"id": "10001"}}'
NONCE = "nonce-of-a-page"
OPEN = {200: "public", 401: "nobody", 404: "hidden"}


@dataclass
class World:
    stage: Stage
    client: TestClient
    app: FastAPI

    def ask(self, method: str, path: str, **how: Any) -> Any:
        return self.client.request(method, path, **how)

    def token(self, subject: str, surface: Any = "panel") -> dict[str, str]:
        """Of our own page, for a person of the first site."""
        now = self.stage.clock.now()
        viewer = Viewer("acme", APPROVER, surface, subject, now)
        return {"authorization": f"Bearer {self.stage.frame.sessions.issue(viewer, now)}"}

    def twin(self) -> dict[str, list[Any]]:
        """All that is kept of the second site, in all its forms."""
        with self.stage.db.read() as c:
            kept = {
                table.name: list(
                    c.execute(sa.select(table).where(table.c.site_id.in_(OF_THE_TWIN)))
                )
                for table in metadata.sorted_tables
                if "site_id" in table.c
            }
            return kept | {
                "site": list(c.execute(sa.select(site).where(site.c.id.in_(OF_THE_TWIN))))
            }


@pytest.fixture
def world(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    stage = Stage(database)
    stage.clock.at = datetime.now(UTC)  # tokens of these tests are of now
    stage.project()
    first = stage.ticket(1, "CSV export is slow", "Make it better, see the Slack thread.")
    stage.judged(first, "not_yet", 38)
    stage.judged(stage.ticket(2, "Quote fields in CSV", QUOTING), "ready", 92)
    for name, kind, more in (
        ("forge-a", "forge", {"cloud_id": CLOUD}),
        ("forge-b", "forge", {"cloud_id": TWIN_CLOUD}),
        ("hook-a", "token", {"webhook_secret": MemorySecrets().seal("secret of hook-a")}),
        ("hook-b", "token", {"webhook_secret": MemorySecrets().seal("secret of hook-b")}),
        ("rule-a", "automation", {"webhook_secret": MemorySecrets().seal("secret of rule-a")}),
        ("rule-b", "automation", {"webhook_secret": MemorySecrets().seal("secret of rule-b")}),
    ):
        stage.boards[name] = stage.boards["other" if name.endswith("-b") else "acme"]
        sites.add_site(database, _site(database, name) | {"connection": kind, **more})
    for name in ("other", "forge-b", "forge-a"):
        stage.project("BILL", name)
    for name in ("other", "forge-b"):
        stage.project("TWIN", name)
        same = stage.ticket(1, "The twin's first ticket", QUOTING, name)
        stage.judged(same, "ready", 99)
        only = stage.ticket(99, "The twin's only ticket", QUOTING, name, key="TWIN-99")
        stage.judged(only, "ready", 99)
    monkeypatch.setattr(main, "Vault", lambda keys: MemorySecrets())
    monkeypatch.setattr(main, "tracker_factory", lambda *_: stage.frame.tracker)
    settings = Settings(
        secret_key=KEY, data=tmp_path, database_url=database.url, url=URL, admin_token="pages"
    )
    app = main.web_app(settings, database, Trust(KeyServer(), APP))
    return World(stage, TestClient(app, base_url=URL), app)


def _site(db: Database, name: str) -> dict[str, Any]:
    row = dict(sites.get_site(db, "acme"))
    return row | {"id": name, "client_key": None, "token": MemorySecrets().seal("")}


# What a caller of the first site asks: for what is the twin's, and for what is nobody's

Pair = tuple[Any, Any]


def both(ask: Callable[[str], Any], theirs: str, nobodys: str) -> Pair:
    return ask(theirs), ask(nobodys)


def webhook(world: World) -> Pair:
    headers = {"x-hub-signature": sign(HOOK, "secret of hook-a")}
    path = "/webhooks/jira/"
    return both(
        lambda n: world.ask("POST", path + n, content=HOOK, headers=headers), "hook-b", "no"
    )


def automation(world: World) -> Pair:
    headers = {"x-signalbox-token": "secret of rule-a"}
    body = b'{"issue": {"id": "10001", "key": "BILL-1"}}'
    path = "/webhooks/automation/"
    return both(
        lambda n: world.ask("POST", path + n, content=body, headers=headers), "rule-b", "no"
    )


def lifecycle(name: str) -> Callable[[World], Pair]:
    def ask(world: World) -> Pair:
        def told(client_key: str) -> Any:
            url = f"{URL}/connect/{name}"
            token = connecting.lifecycle(url, issuer="client-acme")
            content = connecting.body(clientKey=client_key)
            return connecting.post(world.client, url, token, content)

        return both(told, "client-other", "client-nobody")

    return ask


def connect_webhook(world: World) -> Pair:
    def told(issuer: str) -> Any:
        token = hs256(claims(issuer, "POST", connecting.HOOKS), SECRET + "acme")
        return connecting.post(world.client, connecting.HOOKS, token, HOOK)

    return both(told, "client-other", "client-nobody")


def forge(name: str) -> Callable[[World], Pair]:
    """Only Atlassian's token says whose call it is; the body may claim what it likes."""

    def ask(world: World) -> Pair:
        def told(cloud: str) -> Any:
            body = {"cloudId": cloud, "eventType": "avi:jira:updated:issue", "issue": {"id": "1"}}
            headers = {"authorization": f"Bearer {fit(f'signalbox-{name}')}"}
            return world.ask("POST", f"/forge/{name}", json=body, headers=headers)

        return both(told, TWIN_CLOUD, "00000000-0000-4000-8000-0000000000c3")

    return ask


def rpc(world: World, cloud: str, method: str, params: Any) -> Any:
    headers = {"authorization": f"Bearer {fit('signalbox-agent', cloud=cloud)}"}
    call = {"jsonrpc": "2.0", "id": "7", "method": method, "params": params}
    return world.ask("POST", "/a2a", json=call, headers=headers | {"a2a-version": "1.0"})


def agent(world: World) -> Pair:
    assigned = {"invocationType": "ISSUE_ASSIGNMENT", "issue": {"id": "10001", "key": "BILL-1"}}
    wish = {"messageId": "m", "role": "ROLE_USER", "parts": [{"data": assigned}]}
    made = rpc(world, TWIN_CLOUD, "SendMessage", {"message": wish}).json()["result"]["task"]["id"]
    known = rpc(world, TWIN_CLOUD, "GetTask", {"id": made})
    assert "result" in known.json(), "the twin itself finds it"
    return both(lambda name: rpc(world, CLOUD, "GetTask", {"id": name}), made, "0" * len(made))


def operators(method: str, path: str) -> Callable[[World], Pair]:
    """Of who runs Signalbox; a person of a site is a stranger there."""

    def ask(world: World) -> Pair:
        how = {"headers": world.token("10001")}
        return both(lambda n: world.ask(method, f"{path}?site={n}", **how), "other", "nobody")

    return ask


def page(world: World) -> Pair:
    def told(issue: str) -> Any:
        return world.client.get(world.stage.address("panel", issue))

    project = world.client.get(world.stage.address("project", "TWIN"))
    unknown = world.client.get(world.stage.address("project", "NOBO"))
    assert _same(project).replace(b"TWIN", b"NOBO") == _same(unknown)
    assert (project.status_code, unknown.status_code) == (200, 200)
    forged = world.stage.address("panel", THEIRS) + "&site=other"
    assert world.client.get(forged).status_code == 401
    return both(told, THEIRS, NOBODYS)


def fragment(world: World) -> Pair:
    path = "/surfaces/panel/fragment"
    return both(lambda n: world.ask("GET", path, headers=world.token(n)), THEIRS, NOBODYS)


def pressed(world: World) -> Pair:
    wish = {"command": "score", "nonce": NONCE}
    path = "/surfaces/panel/press"
    return both(
        lambda n: world.ask("POST", path, json=wish, headers=world.token(n)), THEIRS, NOBODYS
    )


def forge_page(method: str) -> Callable[[World], Pair]:
    def ask(world: World) -> Pair:
        def told(issue: str) -> Any:
            where = {"issue": {"id": issue, "key": "TWIN-99"}}
            context = {"cloudId": CLOUD, "accountId": APPROVER, "extension": where}
            headers = {"authorization": f"Bearer {fit('signalbox-panel', context=context)}"}
            wish = {"command": "score", "nonce": NONCE} if method == "POST" else None
            return world.ask(method, "/forge/surfaces/panel", json=wish, headers=headers)

        return both(told, THEIRS, NOBODYS)

    return ask


def public(path: str) -> Callable[[World], Pair]:
    """The same for everybody, whatever is asked for beside it."""
    return lambda world: both(lambda n: world.ask("GET", f"{path}?site={n}"), "other", "nobody")


ROUTES: dict[tuple[str, str], tuple[int, Callable[[World], Pair]]] = {
    ("POST", "/webhooks/jira/{site_id}"): (401, webhook),
    ("POST", "/webhooks/automation/{site_id}"): (401, automation),
    ("POST", "/connect/installed"): (401, lifecycle("installed")),
    ("POST", "/connect/uninstalled"): (401, lifecycle("uninstalled")),
    ("POST", "/connect/webhooks"): (401, connect_webhook),
    ("POST", "/forge/events"): (200, forge("events")),
    ("POST", "/forge/scheduled"): (200, forge("scheduled")),
    ("POST", "/forge/installed"): (200, forge("installed")),
    ("POST", "/forge/uninstalled"): (200, forge("uninstalled")),
    ("POST", "/a2a"): (200, agent),
    ("GET", "/deliveries"): (401, operators("GET", "/deliveries")),
    ("GET", "/deliveries.json"): (401, operators("GET", "/deliveries.json")),
    ("GET", "/connect"): (401, operators("GET", "/connect")),
    ("POST", "/connect"): (401, operators("POST", "/connect")),
    ("GET", "/surfaces/{surface}"): (404, page),
    ("GET", "/surfaces/{surface}/fragment"): (404, fragment),
    ("POST", "/surfaces/{surface}/press"): (404, pressed),
    ("GET", "/forge/surfaces/{surface}"): (404, forge_page("GET")),
    ("POST", "/forge/surfaces/{surface}"): (404, forge_page("POST")),
    ("GET", "/.well-known/agent-card.json"): (200, public("/.well-known/agent-card.json")),
    ("GET", "/static/{name}"): (200, public("/static/frame.css")),
    ("GET", "/openapi.json"): (200, public("/openapi.json")),
    ("GET", "/healthz"): (200, public("/healthz")),
    ("GET", "/atlassian-connect.json"): (200, public("/atlassian-connect.json")),
    ("GET", "/"): (200, public("/")),
}


def test_every_route_is_in_the_table(world: World) -> None:
    there = {
        (method, str(route.path))
        for route in iter_route_contexts(world.app.routes)
        for method in (route.methods or {"ANY"}) - {"HEAD"}
    }
    assert there == ROUTES.keys()


def _same(answer: Any) -> bytes:
    """Without the ids that are another one in every answer."""
    ids = rb"[0-9a-f]{24,}|[0-9a-f]{8}-[0-9a-f-]{27}|eyJ[\w.-]+"
    return re.sub(ids, b"#", answer.content)


@pytest.mark.parametrize(("method", "path"), list(ROUTES))
def test_what_is_the_twins_is_nobodys(world: World, method: str, path: str) -> None:
    status, ask = ROUTES[method, path]
    if path == "/a2a":
        ask(world)  # the twin's own task is made here
    before = world.twin()
    theirs, nobodys = ask(world)
    assert (theirs.status_code, nobodys.status_code) == (status, status)
    assert _same(theirs) == _same(nobodys)
    for mark in MARKS:
        assert mark not in theirs.content
    if path != "/a2a":
        assert world.twin() == before
    assert not {"twin", "other"} & set(str(dict(theirs.headers)).lower().split("-"))


def test_the_same_ticket_is_each_sites_own(world: World) -> None:
    """BILL-1 is 10001 in both."""
    mine = world.client.get(world.stage.address("panel", "10001"))
    other = world.client.get(world.stage.address("panel", "10001", site="other"))
    assert (mine.status_code, other.status_code) == (200, 200)
    for said, whose in (("the Slack thread", mine), ("North, South", other)):
        assert [page for page in (mine, other) if said in page.text] == [whose]
    listed = world.client.get(world.stage.address("project", "BILL"))
    twins = world.client.get(world.stage.address("project", "BILL", site="other"))
    assert (b"BILL-2" in listed.content, b"BILL-2" in twins.content) == (True, False)


def test_a_press_is_one_sites_own(world: World) -> None:
    """The same button with the same nonce on the same ticket."""
    for name in ("acme", "other"):
        address = world.stage.address("panel", "10001", site=name)
        token = re.search(r'signalbox-token" content="([^"]+)', world.client.get(address).text)
        assert token is not None
        headers = {"authorization": f"Bearer {token[1]}"}
        wish = {"command": "score", "nonce": NONCE}
        answer = world.ask("POST", "/surfaces/panel/press", json=wish, headers=headers)
        assert answer.status_code == 200
    assert [row["site_id"] for row in world.stage.pressed()] == ["acme", "other"]


# Beneath the pages


def test_deliveries_and_workflows_name_their_site(world: World) -> None:
    """The same delivery, word for word and under the same identifier, for both."""
    db, now = world.stage.db, world.stage.clock.now()
    told: list[tuple[str, str, tuple[Any, ...]]] = []
    body = json.loads(HOOK) | {"comment": {"id": "5", "updated": "1"}, "changelog": {"id": "9"}}
    content = json.dumps(body).encode()
    names = [receive(db, name, "own", "the same", content, now) for name in ("acme", "other")]
    assert len(set(names)) == 2
    inbox.relay(db, lambda c, workflow, ident, args: told.append((workflow, ident, args)), now)
    assert {ident.split(":")[1] for _, ident, _ in told} == {"acme", "other"}
    assert all(args[0] == ident.split(":")[1] for _, ident, args in told)
    with db.read() as c:
        kept = c.execute(sa.select(inbox_table.c.site_id, inbox_table.c.workflow_id)).all()
    assert len({flow for _, flow in kept}) == 2
    assert all(f":{name}:" in flow for name, flow in kept)


def test_a_tracker_is_one_sites_own(world: World) -> None:
    """The same address and account: the credential and the pace still are each its own."""
    row = dict(sites.get_site(world.stage.db, "hook-a")) | {"token": "t"}
    trackers = Trackers(lambda sealed: sealed, "signalbox", Way())
    first, second = trackers(row), trackers(row | {"id": "hook-b"})
    assert first is not second
    assert first is trackers(row)
    assert first._api._pace is not second._api._pace  # nothing else shows it
