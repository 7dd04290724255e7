"""The pages for the Forge app: Atlassian's token says who looks at what, on every call."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.adapters.memory import MemorySecrets
from app.core.run import RunRef
from app.intake.tokens import Trust
from app.ports import Transient
from app.reporting import report
from app.store import runs, sites
from app.store.database import Database
from tests.browser.frames import ADMIN, APPROVER, READER, Stage, fill
from tests.web.signers import APP, CLOUD, KeyServer, fit


@pytest.fixture
def dialect() -> str:
    return "sqlite"


@pytest.fixture
def stage(database: Database) -> Stage:
    made = Stage(database)
    made.clock.at = datetime.now(UTC)  # tokens of these tests are of now
    fill(made)
    site = dict(sites.get_site(database, "acme"))
    forge = {"connection": "forge", "cloud_id": CLOUD, "client_key": None}
    sites.add_site(database, {**site, **forge, "token": MemorySecrets().seal("")})
    return made


@pytest.fixture
def keys() -> KeyServer:
    return KeyServer()


@pytest.fixture
def client(stage: Stage, keys: KeyServer) -> TestClient:
    return TestClient(stage.app(Trust(keys, APP)))


def call(module: str, who: str = APPROVER, **extension: Any) -> dict[str, str]:
    context = {"cloudId": CLOUD, "accountId": who, "extension": extension}
    return {"authorization": f"Bearer {fit(module, context=context)}"}


PANEL: dict[str, Any] = {"issue": {"id": "10002", "key": "BILL-2"}}
PROJECT: dict[str, Any] = {"project": {"id": "1", "key": "BILL"}}


def test_three_pages(client: TestClient) -> None:
    panel = client.get("/forge/surfaces/panel", headers=call("signalbox-panel", **PANEL))
    assert panel.status_code == 200
    assert panel.headers["content-type"] == "application/json"
    assert 'data-command="approve"' in panel.json()["html"]
    assert "token" not in panel.json(), "each call has Atlassian's own"
    project = client.get("/forge/surfaces/project", headers=call("signalbox-project", **PROJECT))
    assert "BILL: tickets for agents" in project.json()["html"]
    admin = call("signalbox-admin", ADMIN)
    assert "Signalbox in this Jira" in client.get("/forge/surfaces/admin", headers=admin).text
    reader = call("signalbox-admin", READER)
    assert client.get("/forge/surfaces/admin", headers=reader).status_code == 403


def test_nothing_new_is_nothing_sent(client: TestClient) -> None:
    headers = call("signalbox-panel", **PANEL)
    mark = client.get("/forge/surfaces/panel", headers=headers).json()["mark"]
    again = client.get(f"/forge/surfaces/panel?mark={mark}", headers=headers)
    assert again.json() == {"html": None, "mark": mark}


def test_a_module_opens_its_own_page_only(client: TestClient, stage: Stage) -> None:
    for surface in ("panel", "project", "admin"):
        for module in ("signalbox-panel", "signalbox-project", "signalbox-admin"):
            if module.endswith(surface):
                continue
            headers = call(module, ADMIN, **PANEL, **PROJECT)
            assert client.get(f"/forge/surfaces/{surface}", headers=headers).status_code == 401
            wish = {"command": "pause", "nonce": "nonce-nonce"}
            answer = client.post(f"/forge/surfaces/{surface}", json=wish, headers=headers)
            assert answer.status_code == 401
    assert client.get("/forge/surfaces/panel").status_code == 401
    assert stage.pressed() == []


@pytest.mark.parametrize(
    "extension",
    [{}, {"issue": {}}, {"issue": {"id": "../1"}}, {"issue": {"id": ["1"]}}, {"issue": {"id": 9}}],
)
def test_what_is_not_there(client: TestClient, extension: dict[str, Any]) -> None:
    answer = client.get("/forge/surfaces/panel", headers=call("signalbox-panel", **extension))
    assert (answer.status_code, answer.json()) == (404, {"error": "There is nothing to show here."})


def test_presses(client: TestClient, stage: Stage) -> None:
    wish = {"command": "approve", "nonce": "nonce-nonce"}
    path, headers = "/forge/surfaces/panel", call("signalbox-panel", **PANEL)
    assert "it is being done" in client.post(path, json=wish, headers=headers).json()["html"]
    assert client.post(path, json=wish, headers=headers).status_code == 200
    assert len(stage.pressed()) == 1
    assert client.post(path, content=b"{", headers=headers).status_code == 400
    stranger = call("signalbox-panel", READER, **PANEL)
    assert client.post(path, json=wish, headers=stranger).status_code == 403


def test_a_key_that_cannot_be_had(client: TestClient, keys: KeyServer) -> None:
    keys.fault = Transient("Atlassian's keys did not come.")
    answer = client.get("/forge/surfaces/panel", headers=call("signalbox-panel", **PANEL))
    assert answer.status_code == 503


def test_what_jql_finds_of_a_run(stage: Stage) -> None:
    """signalbox.run, as the manifest's entity property names it, through a run's life."""
    row = runs.of_ticket(stage.db, "acme", "10004")[0]
    project = sites.get_project(stage.db, "acme", "BILL")
    site = sites.get_site(stage.db, "acme")
    assert project is not None
    ref = RunRef("acme", "10004", row["key"], 1)
    report.report(stage.db, stage.jira, site, project, stage.frame.agent(row), ref)
    assert stage.jira.properties[("10004", "signalbox.run")] == {
        "state": "Succeeded",
        "run": 1,
        "attempt": 1,
        "cost_micro": 420_000,
        "currency": "USD",
        "simulated": True,
        "pull_request": "https://git.example/billing-api/pull/7",
        "branch": "agent/BILL-4-1",
    }
    stage.project(costs_in_comments=False)
    project = sites.get_project(stage.db, "acme", "BILL")
    assert project is not None
    report.report(stage.db, stage.jira, site, project, stage.frame.agent(row), ref)
    assert stage.jira.properties[("10004", "signalbox.run")]["cost_micro"] is None
