"""The product's own doors take what the sandbox sends: the two are built to the same contract."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from app import main
from app.adapters.atlassian_keys import AtlassianKeys
from app.adapters.vault import new_key
from app.config import Settings
from app.intake.tokens import Trust
from app.sandbox.installs import InstallRefused
from app.sandbox.server import SandboxJira
from app.store.database import Database

APP_ID = "ari:cloud:ecosystem::app/00000000-0000-4000-8000-0000000000a1"
sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@dataclass
class Both:
    jira: SandboxJira
    url: str

    def outcomes(self) -> list[tuple[str, str]]:
        self.jira.webhooks.drain()
        return [(entry.event, entry.status) for entry in self.jira.webhooks.deliveries]


@pytest.fixture
def both(database: Database, tmp_path: Path) -> Iterator[Both]:
    jira = SandboxJira.seeded()
    jira.webhooks.delays = (0.03,) * 5
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    settings = Settings(
        secret_key=new_key(),
        data=tmp_path,
        url=f"http://127.0.0.1:{port}",
        forge_app_id=APP_ID,
    )
    with jira.serve():
        keys = AtlassianKeys(jira.install_keys_url, jira.forge_keys_url)
        trust = Trust(keys, APP_ID, loopback=True)
        with main.running_web(main.web_app(settings, database, trust), port) as url:
            yield Both(jira, url)


@sqlite_only
def test_connect_from_beginning_to_end(both: Both) -> None:
    jira = both.jira
    app = jira.install_connect(both.url)
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
    assert both.outcomes() == [("jira:issue_updated", "200")]
    app.turns += 1  # the signing key turns
    jira.reinstall_connect(app)
    jira.comment("BILL-1", "Hello", as_user="Author")
    assert both.outcomes()[1:] == [("comment_created", "200")]
    jira.uninstall_connect(app)
    late = app.token("POST", app.url("/connect/webhooks"))
    headers = {"authorization": f"JWT {late}"}
    assert httpx.post(app.url("/connect/webhooks"), json={}, headers=headers).status_code == 401


@sqlite_only
def test_a_key_of_somebody_else_installs_nothing(both: Both) -> None:
    """Another sandbox signs as itself: its keys are not those that the doors ask for."""
    other = SandboxJira.seeded()
    with other.serve(), pytest.raises(InstallRefused, match="installed: 401"):
        other.install_connect(both.url)


@sqlite_only
def test_forge_from_beginning_to_end(both: Both) -> None:
    jira = both.jira
    app = jira.install_forge(both.url, APP_ID)
    jira.add_label("BILL-1", "agent-ready", as_user="Author")
    jira.edit("BILL-1", {"assignee": {"accountId": app.account_id}}, as_user="Author")
    jira.run_scheduled(app)
    assert both.outcomes() == [
        ("installed", "200"),
        ("avi:jira:updated:issue", "200"),
        ("avi:jira:assigned:issue", "200"),
        ("avi:jira:updated:issue", "200"),
        ("scheduled", "200"),
    ]
    wrong = {"authorization": f"Bearer {app.fit('scheduled')}"}
    assert httpx.post(f"{both.url}/forge/events", json={}, headers=wrong).status_code == 401
    jira.uninstall_forge(app)
    assert both.outcomes()[-1] == ("uninstalled", "200")
