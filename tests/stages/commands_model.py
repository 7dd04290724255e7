"""The stages as in signals_model, with commands: by comment and by button, and with storms."""

from __future__ import annotations

from typing import Any

from app.core.plain import render
from app.core.run import RunRef
from app.reporting import alert, answer
from app.reporting.asked import Desk
from app.reporting.report import Agent, report
from app.store import inbox, runs, sites, storms, tickets
from app.store.inbox import Press
from tests.engine.stage import LABEL, PROJECT, SITE
from tests.stages.signals_model import Model


class Commands(Model):
    """Everything that waits is done in order, whatever it is."""

    def work(self) -> None:
        while inbox.relay(self.db, self.enqueue, self.clock.now()) or self.waiting:
            while self.waiting:
                ident = next(iter(self.waiting))
                name, args = self.waiting.pop(ident)
                self._do(ident, name, args)

    def _do(self, me: str, name: str, args: tuple[Any, ...]) -> None:
        desk, now = self.desk(), self.clock.now()
        done = {"outcome": "handled", "reason": ""}
        match name:
            case "assess_ticket":
                self._assess(me, *args)
                return
            case "run_ticket":
                self.report(args[1], args[2])
            case "obey_comment":
                done = answer.obey(desk, args[1], args[2], now)
            case "obey_press":
                done = answer.obey_press(desk, args[1], inbox.pressed(self.db, args[2]), now)
            case "tell_storm":
                notice = storms.notice(self.db, args[2])
                alert.tell_storm(self.db, self.jira, desk.site, notice)
        inbox.settle(self.db, me, done["outcome"], done["reason"])

    def desk(self) -> Desk:
        site = sites.get_site(self.db, SITE)
        return Desk(self.db, self.jira, site, lambda _: Agent("Memory agent", True, False))

    def report(self, issue: str, number: int) -> None:
        """The run's comment, as its workflow writes it first."""
        row = runs.get(self.db, SITE, issue, number)
        ref = RunRef(SITE, issue, row["key"], number)
        project = sites.get_project(self.db, SITE, PROJECT)
        assert project is not None
        agent = Agent("Memory agent", True, False)
        report(self.db, self.jira, sites.get_site(self.db, SITE), project, agent, ref)

    def say(self, issue: str, words: str, who: str = "author") -> str:
        """A comment, its webhook and all that follows; its id."""
        self.clock.tick(1)
        comment = self.jira.say(issue, who, words)
        self.hear(issue, comment.id)
        return comment.id

    def hear(self, issue: str, comment_id: str) -> None:
        """Its webhook, once more."""
        number = len(self.outcomes())
        version = f"{comment_id}.{number}"
        hook = {
            "webhookEvent": "comment_created",
            "issue": {"id": issue},
            "comment": {"id": comment_id, "updated": version},
        }
        self.deliver(hook, version)
        self.work()

    def press(self, subject: str, press: Press) -> tuple[str, str]:
        """A button, and what became of it."""
        self.clock.tick(1)
        ident = inbox.press(self.db, SITE, subject, press)
        self.work()
        (row,) = [row for row in inbox.deliveries(self.db, SITE) if row["id"] == ident]
        return str(row["outcome"]), str(row["reason"])

    def button(
        self, issue: str, command: str, who: str = "author", argument: str = ""
    ) -> tuple[str, str]:
        number = f"{command}-{self.clock.tick(1).timestamp()}"
        return self.press(issue, Press(number, who, command, argument, self.clock.now()))

    def label(self, issue: str, who: str = "author", *, on: bool = True) -> None:
        self.jira.label(issue, {LABEL} if on else set(), who)
        self.look(issue)

    def look(self, issue: str) -> None:
        """The ticket's own webhook."""
        tickets.again(self.db, SITE, issue, f"test:{len(self.jira.calls.made)}", "x", self.clock.at)
        self.work()

    def set_up(self, **values: Any) -> None:
        row = sites.get_project(self.db, SITE, PROJECT)
        assert row is not None
        sites.add_project(self.db, {**row, **values})

    def outcomes(self) -> list[tuple[str | None, str]]:
        found = [(row["outcome"], row["reason"]) for row in inbox.deliveries(self.db, SITE)]
        return found[::-1]

    def told(self, issue: str) -> dict[str, str]:
        """Our comments, as people read them."""
        return {key: render(c.text.blocks) for key, c in self.jira.ours(issue).items()}

    def replies(self, issue: str) -> list[str]:
        told = self.told(issue)
        return [text.splitlines()[0] for key, text in told.items() if key.startswith("reply:")]

    def properties(self, issue: str) -> Any:
        return self.jira.properties[issue, "signalbox.readiness"]

    def row(self, issue: str) -> Any:
        return tickets.get(self.db, SITE, issue)
