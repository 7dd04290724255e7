"""What a demo consists of: a sandbox Jira, a sample repository and the service, in one folder."""

from __future__ import annotations

import contextlib
import os
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app import main
from app.adapters.clock import SystemClock
from app.adapters.vault import Vault, new_key
from app.cli.faults import Mistake
from app.config import Settings
from app.core.money import MICRO
from app.core.rights import GRANTABLE
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.server import SandboxJira
from app.sandbox.story import BILLING, LABEL, OPERATIONS
from app.store import budgets, sites

if TYPE_CHECKING:
    from app.store.database import Database

SITE = "demo"
AUTHOR = "Author"
ACCEPTANCE = "python3 -m unittest -q"


class NotAsTold(Exception):
    """The story did not end as it should. The message says what was different."""


@dataclass(frozen=True, slots=True)
class Stage:
    """A running demo. keys: ticket keys by the story's names."""

    jira: SandboxJira
    db: Database
    settings: Settings
    service_url: str
    keys: dict[str, str]
    origin: Path


class Interruption:
    """Ctrl-C and SIGTERM, heard only inside of the block: a demo that is half set up or being
    tidied up is not left as it is, however impatient somebody gets."""

    def __init__(self) -> None:
        self.asked = self.heard = False

    def listen(self) -> None:
        for wanted in (signal.SIGINT, signal.SIGTERM):
            signal.signal(wanted, self._ask)

    def _ask(self, *_: object) -> None:
        self.asked = True
        if self.heard:
            self.heard = False
            raise KeyboardInterrupt

    def __enter__(self) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.heard = True

    def __exit__(self, *_: object) -> None:
        self.heard = False


interruption = Interruption()


@contextlib.contextmanager
def stage(directory: Path, agent: str, port: int = 0, api_key: str = "") -> Iterator[Stage]:
    """Everything set up and running, without tickets; all of it ends with the block.

    The sandbox Jira takes the port after the service's.
    """
    settings = _settings(directory / "data", port, api_key)
    if agent not in main.agents(settings):
        known = "rehearsal, and claude where ANTHROPIC_API_KEY is set"
        raise Mistake(f"the agent {agent!r} cannot start here; known: {known}")
    origin = create_sample_repository(directory / "origin")
    jira = SandboxJira()
    with jira.serve(port + 1 if port else 0) as jira_url:
        db = main.open_database(settings)
        _set_up(db, jira, jira_url, Vault(settings.secret_key), agent, origin)
        worker = main.build_worker(settings, db)
        with main.running_web(main.web_app(settings, db), port) as url:
            webhook_secret = secrets.token_urlsafe(24)
            sealed = Vault(settings.secret_key).seal(webhook_secret)
            sites.add_site(db, {**sites.get_site(db, SITE), "webhook_secret": sealed})
            jira.webhook(f"{url}/webhooks/jira/{SITE}", webhook_secret)
            worker.start()
            try:
                yield Stage(jira, db, settings, url, {}, origin)
            finally:
                worker.stop()
                db.close()


def _settings(data: Path, port: int, api_key: str) -> Settings:
    """For this machine alone: what the environment says of databases, links or proxies is of no
    concern to a demo."""
    if (data / "signalbox.sqlite").exists():
        raise Mistake(f"there is a demo in {data.parent} already: name a fresh folder")
    others = os.environ.get("no_proxy") or os.environ.get("NO_PROXY", "")
    os.environ["NO_PROXY"] = os.environ["no_proxy"] = ",".join(filter(None, (others, "127.0.0.1")))
    return Settings(
        secret_key=new_key(),
        data=data,
        database_url="",
        url="",
        port=port,
        admin_token=secrets.token_urlsafe(12),
        look_again_seconds=5,
        poll_seconds=3600,
        anthropic_api_key=api_key,
    )


def _set_up(
    db: Database, jira: SandboxJira, jira_url: str, vault: Vault, agent: str, origin: Path
) -> None:
    now = SystemClock().now()
    roles = {BILLING: ["Developers"], OPERATIONS: ["Developers"]}
    jira.add_project(BILLING, "Billing")
    jira.add_project(OPERATIONS, "Operations")
    jira.add_user(AUTHOR, roles=roles)
    own = jira.add_user("Signalbox", account_type="app", rights="admin")
    email, token = jira.credentials("Signalbox")
    site = {
        "id": SITE,
        "deployment": "cloud",
        "api_url": jira_url,
        "browse_url": jira_url,
        "email": email,
        "token": vault.seal(token),
        "webhook_secret": None,
        "account_id": own.account_id,
        "label": LABEL,
        "zone": "UTC",
        "currency": "USD",
        "connected_at": now,
    }
    sites.add_site(db, site)
    for key in (BILLING, OPERATIONS):
        sites.add_project(db, _project(key, agent, origin, now))
    grant = {"site_id": SITE, "project_key": "*", "right": GRANTABLE[0], "kind": "jira_role"}
    sites.add_grant(db, {**grant, "subject": "Developers", "granted_at": now})
    for kind, subject, limit in (
        ("site", SITE, 50 * MICRO),
        ("project", BILLING, 20 * MICRO),
        ("project", OPERATIONS, 1_200_000),
    ):
        budgets.set_limit(db, SITE, kind, subject, "month", limit, "demo", now)
    budgets.set_limit(db, SITE, "ticket", "*", "once", 6 * MICRO, "demo", now)


def _project(key: str, agent: str, origin: Path, now: datetime) -> dict[str, Any]:
    return {
        "site_id": SITE,
        "key": key,
        "mode": "auto",
        "threshold": 70,
        "must_haves": ["outcome", "acceptance", "location"],
        "repository": str(origin),
        "base_branch": "main",
        "acceptance": ACCEPTANCE,
        "agent": agent,
        "attempts": 2,
        "attempt_cap": 3 * MICRO,
        "attempt_seconds": 600,
        "slots": 2,
        "open_pull_requests": 4,
        "without_cage": True,
        "connected_at": now,
    }


def until(reached: Callable[[], bool], what: str, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not reached():
        if time.monotonic() > deadline:
            raise NotAsTold(f"not within {seconds:.0f} s: {what}")
        time.sleep(0.05)
