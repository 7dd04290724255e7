"""A site full of tickets in memory, and our pages over it: for tests of pages and of browsers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import jwt
import sqlalchemy as sa
from fastapi import FastAPI

from app.adapters.memory import FixedClock, MemorySecrets, MemoryTracker
from app.admin.frame_tokens import Sessions
from app.admin.pages import pages_router
from app.admin.surfaces import Frame
from app.core.money import MICRO
from app.core.qsh import query_string_hash
from app.core.run import RunRef
from app.core.text import from_plain
from app.core.ticket import Ticket
from app.intake.door import Door
from app.intake.tokens import Trust
from app.ports import Account, Found, NotFound, Transient
from app.sandbox.rehearsal import RehearsalAgent
from app.sandbox.story import QUOTING
from app.store import budgets, run_money, runs, sites
from app.store.database import Database
from app.store.schema import ticket as ticket_table


class NoKeys:
    """Atlassian's keys, of which a test without Forge needs none."""

    def connect_install(self, kid: str) -> str:
        raise NotFound(kid)

    def forge(self, kid: str) -> str:
        raise NotFound(kid)


NOBODY = Trust(NoKeys(), "")
SECRET = "a secret of the installation, with enough bytes for "
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
LABEL, APPROVER, READER, ADMIN = "agent-ready", "acc-approver", "acc-reader", "acc-admin"
KEY = "a key of the tests, longer than thirty-two bytes"
HOSTILE = "<img src=x onerror=alert(1)>\"'{{7*7}}]]>"
AWAY = Transient("Jira at acme.example did not answer within 20 seconds.")


class Board(MemoryTracker):
    """Its search knows the two questions that our pages ask."""

    def search(self, jql: str, most: int) -> Sequence[Found]:
        found = super().search(jql, len(self.tickets))
        if jql.startswith("issuekey in ("):
            keys = jql.removeprefix("issuekey in (").split(")")[0].split(", ")
            return [ticket for ticket in found if ticket.key in keys][:most]
        project = jql.split('"')[1]
        labelled = (t for t in found if LABEL in t.labels and t.project_key == project)
        return sorted(labelled, key=lambda t: int(t.id))[:most]


@dataclass
class Stage:
    """Two sites over one database, each with a Jira in memory."""

    db: Database
    browse_url: str = "https://acme.example"
    clock: FixedClock = field(default_factory=FixedClock)
    boards: dict[str, Board] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for site_id in ("acme", "other"):
            self.boards[site_id] = Board(clock=self.clock)
            self._site(site_id)
        self.jira = self.boards["acme"]
        self.frame = Frame(
            db=self.db,
            clock=self.clock,
            tracker=lambda site: self.boards[site["id"]],
            agents={"rehearsal": RehearsalAgent()},
            sessions=Sessions(KEY),
        )

    def app(self, trust: Trust | None = None) -> FastAPI:
        door = Door(self.db, MemorySecrets(), self.clock, 100_000, "https://signalbox.example")
        app = FastAPI()
        app.include_router(pages_router(self.frame, door, trust or NOBODY, "pages"))
        return app

    def address(self, surface: str, of: str = "", who: str = APPROVER, site: str = "acme") -> str:
        """A page as Jira opens it in a frame, with its signed token."""
        path = f"/surfaces/{surface}"
        name = {"panel": "issue", "project": "project"}.get(surface)
        told = [(name, of)] if name else []
        now = int(self.clock.now().timestamp())
        claims = {
            "iss": f"client-{site}",
            "sub": who,
            "iat": now,
            "exp": now + 180,
            "qsh": query_string_hash("GET", path, told),
        }
        token = jwt.encode(claims, SECRET + site, algorithm="HS256")
        return f"{path}?{urlencode([*told, ('jwt', token)])}"

    def _site(self, site_id: str) -> None:
        values = {
            "id": site_id,
            "connection": "connect",
            "deployment": "cloud",
            "api_url": self.browse_url,
            "browse_url": self.browse_url,
            "email": None,
            "token": MemorySecrets().seal(SECRET + site_id),
            "client_key": f"client-{site_id}",
            "webhook_secret": None,
            "account_id": "signalbox",
            "label": LABEL,
            "zone": "Europe/Berlin",
            "currency": "USD",
            "connected_at": LONG_AGO,
        }
        sites.add_site(self.db, values)
        grant = {"site_id": site_id, "project_key": "*", "granted_at": LONG_AGO}
        role = {"kind": "jira_role", "subject": "Developers", "right": "approve"}
        sites.add_grant(self.db, {**grant, **role})
        account = {"kind": "account", "subject": ADMIN, "right": "admin"}
        sites.add_grant(self.db, {**grant, **account})

    def project(self, key: str = "BILL", site_id: str = "acme", **changed: Any) -> None:
        values = {
            "site_id": site_id,
            "key": key,
            "mode": "approve",
            "threshold": 70,
            "must_haves": ["outcome", "acceptance", "location"],
            "repository": "https://git.example/billing-api.git",
            "base_branch": "main",
            "acceptance": "make test",
            "agent": "rehearsal",
            "attempts": 2,
            "attempt_cap": 3 * MICRO,
            "attempt_seconds": 1200,
            "slots": 2,
            "open_pull_requests": 4,
            "without_cage": False,
            "connected_at": LONG_AGO,
        }
        sites.add_project(self.db, {**values, **changed})
        self.boards[site_id].give(key, APPROVER, "Developers")
        self.boards[site_id].accounts[APPROVER] = Account(APPROVER, "Mira", "atlassian")
        budgets.set_limit(self.db, site_id, "project", key, "month", 50 * MICRO, "admin", LONG_AGO)

    def ticket(
        self,
        number: int,
        summary: str,
        text: str,
        site_id: str = "acme",
        labels: Sequence[str] = (LABEL,),
        **changed: Any,
    ) -> Ticket:
        """A ticket in Jira; of it we know nothing yet."""
        values: dict[str, Any] = {
            "site_id": site_id,
            "id": str(10_000 + number),
            "key": f"BILL-{number}",
            "project_key": "BILL",
            "issue_type": "Story",
            "summary": summary,
            "description": from_plain(text),
            "labels": frozenset(labels),
            "status": "To Do",
            "done": False,
            "reporter": "acc-author",
            "updated": self.clock.now() - timedelta(hours=1),
        }
        return self.boards[site_id].add(Ticket(**{**values, **changed}))

    def judged(self, ticket: Ticket, verdict: str, score: int, **changed: Any) -> None:
        """What an assessment would have left of it."""
        values = {
            "site_id": ticket.site_id,
            "issue_id": ticket.id,
            "gen": 1,
            "taken": 1,
            "key": ticket.key,
            "project_key": ticket.project_key,
            "spec_hash": ticket.spec_hash(),
            "score": score,
            "verdict": verdict,
            "rubric": "checklist v1",
            "decision": defer("not_ready", "The text does not answer everything yet.", ""),
            "told_hash": ticket.spec_hash(),
            "told_at": ticket.updated,
            "assessed_at": self.clock.now() - timedelta(minutes=5),
        }
        with self.db.write() as c:
            c.execute(ticket_table.insert().values(**{**values, **changed}))

    def run(self, ticket: Ticket, **noted: Any) -> RunRef:
        """A run that is on, its first attempt too."""
        now = self.clock.now()
        values = {
            "site_id": ticket.site_id,
            "issue_id": ticket.id,
            "key": ticket.key,
            "project_key": ticket.project_key,
            "trigger_id": "label:1",
            "actor": APPROVER,
            "triggered_at": now - timedelta(minutes=8),
            "approved_by": APPROVER,
            "approved_at": now - timedelta(minutes=6),
            "agent": "rehearsal",
            "simulated": True,
            "repository": "https://git.example/billing-api.git",
            "base_branch": "main",
            "cage": "bubblewrap",
            "spec_hash": ticket.spec_hash(),
            "spec": {},
            "spec_as_of": now - timedelta(minutes=9),
        }
        money = run_money.Money(3 * MICRO, "Europe/Berlin", "list 1")
        ref = runs.start(self.db, values, money, 9, lambda *_: None, now - timedelta(minutes=6))
        assert isinstance(ref, RunRef)
        runs.open_attempt(self.db, ref, 1, now - timedelta(minutes=5))
        runs.note(self.db, ref, **{"step": 3, "sign_at": now, **noted})
        return ref

    def end(self, ref: RunRef, ending: str = "Succeeded", **values: Any) -> None:
        now = self.clock.now()
        ended = {"ending": ending, "cause": "", "cost": 420_000, "cost_source": "meter"}
        runs.close_attempt(self.db, ref, 1, ended, now)
        runs.finish(self.db, ref, {"ending": ending, **values}, lambda *_: None, now)
        with self.db.write() as c:
            used = {"decision": {"decision": "none", "why": "label_used", "reasons": [], "run": 1}}
            mine = ticket_table.c.issue_id == ref.issue_id
            c.execute(ticket_table.update().where(mine).values(**used))

    def away(self) -> None:
        """Jira answers nothing any more."""
        for name in ("ticket", "roles", "search", "account"):
            self.jira.calls.fail(name, *([AWAY] * 500))

    def pressed(self) -> list[dict[str, Any]]:
        query = sa.text("select * from inbox where event like 'signalbox:press%' order by seq")
        with self.db.read() as c:
            return [dict(row) for row in c.execute(query).mappings()]


def defer(code: str, text: str, next_: str) -> dict[str, Any]:
    reasons = [{"code": code, "text": text, "next": next_}]
    return {"decision": "defer", "reasons": reasons, "run": None}


APPROVAL = defer(
    "approval",
    "A person has to approve this start.",
    'Somebody with the approve right comments "agent approve".',
)


def fill(stage: Stage) -> None:
    """One ticket of each kind, and forty that nobody has an answer for."""
    stage.project()
    vague = (
        "maybe in the background? see Slack thread. Make it better and faster for big customers."
    )
    first = stage.ticket(1, "CSV export is slow", vague)
    stage.judged(first, "not_yet", 38)
    stage.judged(stage.ticket(2, "Quote fields in CSV", QUOTING), "ready", 92, decision=APPROVAL)
    third = stage.ticket(3, "Round totals to cents", QUOTING)
    admitted = {"decision": "admit", "reasons": [], "run": 1}
    stage.judged(third, "ready", 88, decision=admitted)
    stage.run(third, doing="edits app/invoice/mailer.py")
    fourth = stage.ticket(4, "Invoice mail in German", QUOTING)
    stage.judged(fourth, "ready", 85)
    pull = "https://git.example/billing-api/pull/7"
    stage.end(stage.run(fourth), commit="abc1234", pull_request=pull, change="2 files changed")
    room = "Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec."
    stage.judged(
        stage.ticket(5, "Export as JSON", QUOTING),
        "ready",
        81,
        decision=defer("budget", room, "A project admin can raise it."),
    )
    for number in range(6, 46):
        stage.judged(stage.ticket(number, f"Improve report {number}", vague), "not_yet", 20)
    stage.judged(stage.ticket(46, "Tidy up", vague), "nearly", 61)
    stage.judged(stage.ticket(47, "One of a storm", vague), "not_yet", 30, quiet=True)
