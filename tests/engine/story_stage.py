"""The demo's stage once for each kind of connection: its own door over HTTP, its own credential."""

from __future__ import annotations

import dataclasses
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import main
from app.adapters.atlassian_keys import AtlassianKeys
from app.adapters.vault import Vault, new_key
from app.config import Settings
from app.core.connection import KINDS
from app.core.money import MICRO
from app.engine import sweep_steps
from app.engine.sweeps import Rhythm
from app.engine.worker import Worker
from app.intake.tokens import Trust
from app.sandbox.connections import Login
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.server import SandboxJira
from app.sandbox.story import BILLING, LABEL, OPERATIONS
from app.store import budgets, sites
from app.store.database import Database
from tests.engine.stage import SITE, Stage, parts, until

APP_ID = "ari:cloud:ecosystem::app/00000000-0000-4000-8000-0000000000a1"
SECRET = "a secret that only this Jira and Signalbox know"
POLL_EVERY = 0.15
Told = Callable[[], Any]


@dataclass(frozen=True, slots=True)
class StoryStage(Stage):
    """A site of one kind, connected; web part and worker are running."""

    kind: str
    site_id: str
    url: str
    settings: Settings
    login: Login
    polls: list[float] = field(default_factory=lambda: [0.0])

    @property
    def scheme(self) -> str:
        """What the sandbox calls this kind's credential."""
        if KINDS[self.kind].handed:
            return self.kind
        return "pat" if self.jira.state.deployment == "server" else "token"

    def look(self) -> int:
        """What the schedule does where nothing comes in by itself. How much was new."""
        if KINDS[self.kind].door != "none" or time.monotonic() - self.polls[-1] < POLL_EVERY:
            return 0
        found = sweep_steps.poll(self.site_id)
        self.polls.append(time.monotonic())
        return found

    def until(self, reached: Told, seconds: float = 30.0) -> Any:
        """Wait for it, and let what happens in Jira be found meanwhile."""
        return until(lambda: (self.look(), reached())[1], seconds)

    def at_rest(self) -> bool:
        """No run is on, and all that happened in Jira was sent or found, and settled."""
        return self.quiet() and self._all_came() and self.quiet()

    def _all_came(self) -> bool:
        if KINDS[self.kind].door == "none":
            return sweep_steps.poll(self.site_id) == 0
        try:
            self.jira.webhooks.drain(0.05)
        except TimeoutError:
            return False
        return True

    def write(self, project: str, summary: str, description: str, **more: Any) -> str:
        """A ticket by its author, without a label; its key."""
        return self.jira.create_issue(
            project, summary, description=description, reporter="Author", **more
        ).key


@contextmanager
def story_stage(
    db: Database,
    directory: Path,
    kind: str,
    face: Any = "cloud",
    before: Callable[[SandboxJira], None] = lambda _: None,
) -> Iterator[StoryStage]:
    """face: of the sandbox Jira. before: what happened in it before it was connected."""
    jira = SandboxJira(face)
    jira.limit_writes()
    people(jira, scoped=kind == "token")
    before(jira)
    origin = create_sample_repository(directory / "origin")
    settings = _settings(db, directory)
    with jira.serve():
        keys = AtlassianKeys(jira.install_keys_url, jira.forge_keys_url)
        trust = Trust(keys, APP_ID, loopback=True)
        app = main.web_app(settings, db, trust)
        with main.running_web(app, settings.port) as url, working(db, directory, settings):
            login = connect(jira, db, kind, url, Vault(settings.secret_key))
            (site,) = sites.list_sites(db)
            add_projects(db, site["id"], origin)
            yield StoryStage(jira, db, directory, origin, kind, site["id"], url, settings, login)


def _settings(db: Database, directory: Path) -> Settings:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    return Settings(
        secret_key=new_key(),
        data=directory,
        database_url=db.url,
        port=port,
        url=f"http://127.0.0.1:{port}",
        forge_app_id=APP_ID,
        admin_token="pages",
    )


@contextmanager
def working(db: Database, directory: Path, settings: Settings) -> Iterator[Worker]:
    """A worker of this process that comes to Jira as the product does: by the site's row."""
    tracker = main.tracker_factory(settings, Vault(settings.secret_key))
    made = dataclasses.replace(parts(db, directory), tracker=tracker)
    worker = Worker(made, 4, Rhythm(3600, 3600))
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def people(jira: SandboxJira, *, scoped: bool) -> None:
    jira.add_project(BILLING, "Billing")
    jira.add_project(OPERATIONS, "Operations")
    jira.add_user("Author", roles={key: ["Developers"] for key in (BILLING, OPERATIONS)})
    kind: Any = "unknown" if jira.state.deployment == "server" else "app"
    jira.add_user("Signalbox", account_type=kind, rights="admin", scoped=scoped)


def connect(jira: SandboxJira, db: Database, kind: str, url: str, vault: Vault) -> Login:
    """As an admin of Jira and one of Signalbox would, by the kind's own way."""
    if kind == "connect":
        jira.install_connect(url)
    elif kind == "forge":
        jira.install_forge(url, APP_ID)
        jira.webhooks.drain()
    login = jira.require(kind)
    if not KINDS[kind].handed:
        _add_site(jira, db, kind, login, vault)
    if KINDS[kind].door == "webhook":
        jira.webhook(f"{url}/webhooks/jira/{SITE}", SECRET)
    elif KINDS[kind].door == "automation":
        jira.add_automation_rule(f"{url}/webhooks/automation/{SITE}", SECRET)
    return login


def _add_site(jira: SandboxJira, db: Database, kind: str, login: Login, vault: Vault) -> None:
    site = {
        "id": SITE,
        "connection": kind,
        "deployment": jira.state.deployment,
        "api_url": login.api_url,
        "browse_url": jira.base_url,
        "email": login.email or None,
        "token": vault.seal(login.token),
        "webhook_secret": vault.seal(SECRET) if KINDS[kind].door != "none" else None,
        "account_id": login.account_id,
        "label": LABEL,
        "zone": "UTC",
        "currency": "USD",
        "connected_at": datetime.now(UTC),
    }
    sites.add_site(db, site)


def add_projects(db: Database, site_id: str, origin: Path) -> None:
    """With a budget of which one project has too little."""
    now = datetime.now(UTC)
    row = {
        "site_id": site_id,
        "mode": "auto",
        "threshold": 70,
        "must_haves": ["outcome", "acceptance", "location"],
        "repository": str(origin),
        "base_branch": "main",
        "acceptance": "python3 -m unittest -q",
        "agent": "rehearsal",
        "attempts": 2,
        "attempt_cap": 3 * MICRO,
        "attempt_seconds": 120,
        "slots": 2,
        "open_pull_requests": 4,
        "without_cage": True,
        "connected_at": now,
    }
    for key in (BILLING, OPERATIONS):
        sites.add_project(db, {**row, "key": key})
    grant = {"site_id": site_id, "project_key": "*", "right": "approve", "kind": "jira_role"}
    sites.add_grant(db, {**grant, "subject": "Developers", "granted_at": now})
    limits = (
        ("site", site_id, 50 * MICRO),
        ("project", BILLING, 20 * MICRO),
        ("project", OPERATIONS, 1_200_000),
    )
    for kind, subject, limit in limits:
        budgets.set_limit(db, site_id, kind, subject, "month", limit, "demo", now)
