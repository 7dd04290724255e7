"""A whole Signalbox for a test: sandbox Jira, repository, database set up as an admin would."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from app.adapters.clock import SystemClock
from app.adapters.jira import JiraTracker
from app.adapters.jira_auth import Basic
from app.adapters.local_git import LocalGit
from app.adapters.no_cage import NoCage
from app.core.money import MICRO
from app.core.plain import render
from app.engine.parts import Parts
from app.execution.workspace import refresh_mirror
from app.intake.receive import receive
from app.ports import Cage, CodingAgent, SpecJudge
from app.sandbox.rehearsal import RehearsalAgent
from app.sandbox.sample_repository import create_sample_repository
from app.sandbox.server import SandboxJira
from app.sandbox.story import QUOTING
from app.store import budgets, sites
from app.store.database import Database
from app.store.schema import inbox, run, ticket

SITE, PROJECT, LABEL = "acme", "BILL", "agent-ready"
SUMMARY = "CSV export: quote fields that contain a comma"
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Stage:
    jira: SandboxJira
    db: Database
    directory: Path
    origin: Path

    def label_good_ticket(self, description: str = QUOTING) -> str:
        """A ticket that may start, labelled; its key. Jira's webhook still has to be played."""
        issue = self.jira.create_issue(
            PROJECT, SUMMARY, description=description, issue_type="Bug", reporter="Author"
        )
        self.jira.add_label(issue.key, LABEL, "Author")
        return issue.key

    def deliver(self, key: str, event: str = "jira:issue_updated", **more: Any) -> None:
        """The webhook as stored by intake, for tests without a web part."""
        payload = {"webhookEvent": event, "issue": {"id": self.jira.issue(key).id}, **more}
        payload["timestamp"] = time.time_ns()
        receive(self.db, SITE, "own", "", json.dumps(payload).encode(), datetime.now(UTC))

    def deliver_comment(self, key: str, comment_id: str) -> None:
        comment = {"id": comment_id, "updated": str(time.time_ns())}
        self.deliver(key, "comment_created", comment=comment)

    def comments(self, key: str) -> dict[str, str]:
        """Our comments as text, by the key in their property."""
        found: dict[str, str] = {}
        for comment in self.jira.comments(key):
            ours = comment.properties.get("signalbox")
            if ours:
                assert ours["key"] not in found, f"two comments for {ours['key']}"
                found[ours["key"]] = render(comment.body.document().blocks)
        return found

    def runs(self) -> list[Any]:
        with self.db.read() as c:
            return list(c.execute(sa.select(run).order_by(run.c.number)).mappings())

    def ticket(self, key: str) -> Any:
        with self.db.read() as c:
            return c.execute(sa.select(ticket).where(ticket.c.key == key)).mappings().first()

    def outcomes(self) -> list[tuple[str | None, str]]:
        with self.db.read() as c:
            rows = c.execute(sa.select(inbox).order_by(inbox.c.seq)).mappings()
            return [(row["outcome"], row["reason"]) for row in rows]

    def quiet(self) -> bool:
        """Nothing waits, no run is on, and every result stands in its ticket."""
        waiting = sa.select(sa.func.count()).select_from(inbox).where(inbox.c.outcome.is_(None))
        with self.db.read() as c:
            none_waits = c.execute(waiting).scalar() == 0
        return none_waits and all(row["ended_at"] and row["told_at"] for row in self.runs())

    def branches(self) -> list[str]:
        argv = ["git", "-C", str(self.origin), "for-each-ref", "--format=%(refname:short)"]
        found = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.split()
        return [name for name in found if name != "main"]

    def change(self, **values: Any) -> None:
        """Change the project as an admin would."""
        row = sites.get_project(self.db, SITE, PROJECT)
        assert row is not None
        sites.add_project(self.db, {**row, **values})


@contextmanager
def stage(db: Database, directory: Path, **project: Any) -> Iterator[Stage]:
    jira = SandboxJira()
    jira.add_project(PROJECT, "Billing")
    jira.add_user("Author", roles={PROJECT: ["Developers"]})
    jira.add_user("Outsider")
    own = jira.add_user("Signalbox", account_type="app", rights="admin")
    origin = create_sample_repository(directory / "origin")
    with jira.serve() as url:
        set_up(db, url, own.account_id, jira.credentials("Signalbox"), origin, **project)
        yield Stage(jira, db, directory, origin)


def set_up(
    db: Database, url: str, account: str, login: tuple[str, str], origin: Path, **project: Any
) -> None:
    """Site, project, grant and budgets. The token is kept as it is: tests have no vault."""
    site = {
        "id": SITE,
        "deployment": "cloud",
        "api_url": url,
        "browse_url": url,
        "email": login[0],
        "token": login[1],
        "webhook_secret": None,
        "account_id": account,
        "label": LABEL,
        "zone": "UTC",
        "currency": "USD",
        "connected_at": LONG_AGO,
    }
    sites.add_site(db, site)
    row = {
        "site_id": SITE,
        "key": PROJECT,
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
        "connected_at": LONG_AGO,
    }
    sites.add_project(db, {**row, **project})
    grant = {"site_id": SITE, "project_key": "*", "right": "approve", "kind": "jira_role"}
    sites.add_grant(db, {**grant, "subject": "Developers", "granted_at": LONG_AGO})
    budgets.set_limit(db, SITE, "site", SITE, "month", 100 * MICRO, "admin", LONG_AGO)
    budgets.set_limit(db, SITE, "project", PROJECT, "month", 50 * MICRO, "admin", LONG_AGO)


def parts(
    db: Database,
    directory: Path,
    agent: CodingAgent | None = None,
    cage: Cage | None = None,
    open_gate: Any = None,
    judge: SpecJudge | None = None,
) -> Parts:
    """Real adapters around the rehearsal agent at full speed."""
    chosen = agent or RehearsalAgent(pace=0)

    def tracker(site: Any) -> JiraTracker:
        return JiraTracker(SITE, site["api_url"], Basic(site["email"], site["token"]))

    return Parts(
        db=db,
        clock=SystemClock(),
        tracker=tracker,
        code_host=LocalGit(lambda repository: refresh_mirror(directory / "mirrors", repository)),
        agents={chosen.name: chosen},
        cage=cage or NoCage(),
        no_cage=NoCage(),
        open_gate=open_gate,
        data=directory,
        judge=judge,
    )


def until(reached: Callable[[], Any], seconds: float = 20.0) -> Any:
    """Wait for what has to come; the value it came with."""
    deadline = time.monotonic() + seconds
    while not (value := reached()):
        assert time.monotonic() < deadline, "it did not come"  # see the test's own line
        time.sleep(0.02)
    return value
