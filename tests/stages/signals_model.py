"""Jira in memory, a real database, and the stages called as the engine calls them: one workflow at
a time for a ticket, each begun by the relay."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sqlalchemy.engine import Connection

from app.adapters.memory import FixedClock, MemoryCodeHost, MemoryTracker
from app.adapters.memory_agent import MemoryAgent, MemoryCage
from app.assessment import assess, feedback
from app.core.run import RunRef
from app.core.text import from_plain
from app.core.ticket import Ticket
from app.dispatch.admit import Gate, admit
from app.intake.receive import receive
from app.sandbox.story import QUOTING
from app.store import inbox, runs, sites, tickets
from app.store.database import Database
from tests.engine.stage import LABEL, PROJECT, SITE, SUMMARY, set_up

US = "signalbox"
CHANGES = ("add", "remove", "add again", "edit", "assign")


class Model:
    """A site; every ticket in it is another telling of the same five changes."""

    def __init__(self, db: Database, directory: Path) -> None:
        set_up(db, "http://127.0.0.1", US, ("", "token"), directory, slots=10_000, attempt_cap=1000)
        self.db = db
        self.clock = FixedClock()
        self.jira = MemoryTracker(clock=self.clock)
        self.jira.give(PROJECT, "author", "Developers")
        self.waiting: dict[str, tuple[str, tuple[Any, ...]]] = {}
        agent, cage, host = MemoryAgent(), MemoryCage(), MemoryCodeHost()
        self.agents = {agent.name: (agent.title, True)}
        self.gate = Gate(db, self.jira, host, agent, cage, self.enqueue)

    def ticket(self, issue: str, text: str = QUOTING) -> None:
        """Long after the one before: these are no storm."""
        self.clock.tick(3600)
        key = f"{PROJECT}-{issue}"
        body, now = from_plain(text), self.clock.now()
        made = Ticket(SITE, issue, key, PROJECT, "Bug", SUMMARY, body, frozenset(), "To Do", False,
                      "author", now)  # fmt: skip
        self.jira.add(made)

    def change(self, issue: str, what: str, text: str = QUOTING + "\nAs agreed.") -> dict[str, Any]:
        """Do it in Jira; the webhook that it sends."""
        if what == "edit":
            self.jira.edit(issue, description=text)
            item, number = {"field": "description"}, f"17{len(self.jira.calls.made)}"
        elif what == "assign":
            number = self.jira.assign(issue, US, "author").id
            item = {"field": "assignee", "to": US}
        else:
            labels = {LABEL} if what.startswith("add") else set()
            number = self.jira.label(issue, labels, "author").id
            item = {"field": "labels", "toString": " ".join(labels)}
        return {
            "webhookEvent": "jira:issue_updated",
            "issue": {"id": issue},
            "user": {"accountId": "author"},
            "changelog": {"id": number, "items": [item]},
        }

    def deliver(self, hook: dict[str, Any], identifier: str) -> None:
        receive(self.db, SITE, US, identifier, json.dumps(hook).encode(), self.clock.now())

    def enqueue(self, c: Connection, name: str, ident: str, args: tuple[Any, ...]) -> None:
        self.waiting.setdefault(ident, (name, args))

    def work(self) -> None:
        """Until nothing waits. Runs only begin: they are on until `end_runs`."""
        while inbox.relay(self.db, self.enqueue, self.clock.now()) or self.waiting:
            while self.waiting:
                ident = next(iter(self.waiting))
                name, args = self.waiting.pop(ident)
                if name == "assess_ticket":
                    self._assess(ident, *args)

    def _assess(self, me: str, site_id: str, issue: str, gen: int) -> None:
        now = self.clock.now()
        seen = assess.assess(self.db, self.jira, site_id, issue, gen, now)
        if seen["outcome"] == "handled":
            site = sites.get_site(self.db, SITE)
            project = sites.get_project(self.db, SITE, PROJECT)
            assert project is not None
            admit(self.gate, site, project, issue, seen["spec_hash"], now)
            desk = feedback.Desk(self.db, self.jira, site, self.agents)
            feedback.tell(desk, issue, seen["spec_hash"], gen, now)
            inbox.unpark(self.db, site_id, issue, "handled by a later assessment")
        inbox.settle(self.db, me, seen["outcome"], seen["reason"])

    def end_runs(self, issue: str) -> None:
        """Each run ends as it was asked to, some seconds later."""
        self.clock.tick(5)
        for row in self.runs(issue):
            if row["ended_at"] is None:
                ending = "Cancelled" if row["stop_why"] else "Succeeded"
                ref = RunRef(SITE, issue, row["key"], row["number"])
                ended = {"ending": ending, "cause": row["stop_why"] or ""}
                runs.finish(self.db, ref, ended, self.enqueue, self.clock.now())
        self.work()

    def runs(self, issue: str) -> list[Any]:
        return runs.of_ticket(self.db, SITE, issue)

    def seen(self, issue: str) -> dict[str, Any]:
        """All that is known and told of a ticket, in words that do not depend on which it is."""
        row = tickets.get(self.db, SITE, issue)
        assert row is not None
        comments = {key: words(c.text) for key, c in self.jira.ours(issue).items()}
        return {
            "decision": row["decision"],
            "score": row["score"],
            "text": row["spec_hash"] == self.jira.tickets[issue].spec_hash(),
            "told": row["told_hash"] == row["spec_hash"],
            "readiness": comments["readiness"],
        }


def words(document: Any) -> str:
    return str(document.plain())
