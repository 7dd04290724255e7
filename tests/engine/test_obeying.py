"""Commands through the engine: buttons, storms, and how often a run's comment is edited."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from app.core import storm
from app.sandbox.rehearsal import Behaviour, RehearsalAgent
from app.sandbox.story import QUOTING
from app.store import inbox, objections
from app.store.inbox import Press
from tests.engine.crash_commands import BUNDLE
from tests.engine.stage import LABEL, PROJECT, SITE, Stage, until

Work = Callable[..., Any]


def press(on: Stage, key: str, command: str, nonce: str) -> str:
    """A button in the panel of the ticket, pressed by its author; the id of the delivery."""
    who = on.jira.user("Author").account_id
    wish = Press(nonce, who, command, "", datetime.now(UTC))
    return inbox.press(on.db, SITE, on.jira.issue(key).id, wish)


def became(on: Stage, ident: str) -> tuple[str, str]:
    """What a delivery came to, once it has."""

    def settled() -> Any:
        return next(row for row in inbox.deliveries(on.db, SITE) if row["id"] == ident)

    row = until(lambda: (found := settled())["outcome"] and found)
    return row["outcome"], row["reason"]


def edits(on: Stage, key: str) -> dict[str, int]:
    """How often each comment of the ticket was written anew, by its key."""
    names = {c.id: c.properties["signalbox"]["key"] for c in on.jira.comments(key)}
    found = dict.fromkeys(names.values(), 0)
    for entry in on.jira.journal.find("PUT", r"/comment/\d+$"):
        found[names[entry.path.rpartition("/")[2]]] += 1
    return found


class Stubborn(RehearsalAgent):
    """Says seven times that it is done, then hangs."""

    async def work(self, task: Any, *rest: Any) -> Any:
        self._behaviour = Behaviour.WORKS if task.attempt < 8 else Behaviour.HANGS
        return await super().work(task, *rest)


def test_a_run_of_many_attempts_is_edited_six_times(on_stage: Stage, work: Work) -> None:
    on_stage.change(attempts=8, acceptance="false")
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work(agent=Stubborn(pace=0))
    until(lambda: on_stage.runs() and _attempts(on_stage) == 8)
    assert became(on_stage, press(on_stage, key, "stop", "a")) == ("handled", "stop: run 1")
    until(on_stage.quiet)
    (count,) = [n for name, n in edits(on_stage, key).items() if name.startswith("run:")]
    assert count == 6
    (told,) = [text for name, text in on_stage.comments(key).items() if name.startswith("run:")]
    assert told.startswith("[STOPPED]")
    assert "attempt 8 of 8" in told


def _attempts(on: Stage) -> int:
    with on.db.read() as c:
        return int(c.exec_driver_sql("select count(*) from attempt").scalar_one())


def test_an_ordinary_run_is_edited_at_its_changes_of_state(on_stage: Stage, work: Work) -> None:
    key = on_stage.label_good_ticket()
    on_stage.deliver(key)
    work()
    until(lambda: on_stage.runs() and on_stage.quiet())
    issue = on_stage.jira.issue(key).id
    run = f"run:{SITE}:{issue}:1"
    assert edits(on_stage, key) == {"readiness": 1, run: 2, f"result:{run}": 0}


def test_a_button_starts_what_no_label_asks_for(on_stage: Stage, work: Work) -> None:
    issue = on_stage.jira.create_issue(PROJECT, "CSV export: quote fields", reporter="Author")
    on_stage.jira.edit(issue.key, {"description": QUOTING}, "Author")
    work()
    ident = press(on_stage, issue.key, "run", "once")
    assert press(on_stage, issue.key, "run", "once") == ident
    assert became(on_stage, ident) == ("handled", "run")
    until(lambda: on_stage.runs() and on_stage.quiet())
    (run,) = on_stage.runs()
    assert (run["trigger_id"], run["ending"]) == ("run:press:once", "Succeeded")
    assert "asked" in on_stage.comments(issue.key)[f"run:{SITE}:{issue.id}:1"]
    assert became(on_stage, press(on_stage, issue.key, "pause", "b")) == (
        "ignored",
        "refused: pause needs the right admin",
    )


def test_a_ticket_is_mended_by_its_comments(on_stage: Stage, work: Work) -> None:
    """A question is set aside, sub-tasks are made, the text is written."""
    key = on_stage.label_good_ticket(BUNDLE)
    on_stage.deliver(key)
    work()
    until(lambda: "readiness" in on_stage.comments(key) and on_stage.quiet())
    before = on_stage.comments(key)["readiness"]
    assert "▸ A split into two sub-tasks" in before
    for command in ("agent wrong 1", "agent split", "agent apply"):
        asked = on_stage.jira.comment(key, command, "Author")
        on_stage.deliver_comment(key, asked.id)
        until(on_stage.quiet)
    children = on_stage.jira.state.below(on_stage.jira.issue(key))
    after = on_stage.comments(key)["readiness"]
    assert f"It was split into {children[0].key} and {children[1].key}." in after
    assert "| set aside by a person |" in after
    text = on_stage.jira.issue(key).description
    assert text is not None
    assert "[…]" in text.plain()
    assert [rule.wrong for rule in objections.counts(on_stage.db, SITE)].count(1) == 1
    assert {outcome for outcome, _ in on_stage.outcomes()} == {"handled"}
    assert on_stage.runs() == []


def test_a_storm_is_told_in_the_operations_ticket(
    on_stage: Stage, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storm, "MOST", 2)
    operations = on_stage.jira.create_issue(PROJECT, "Operations", reporter="Author").key
    on_stage.change(mode="advise", operations_ticket=operations)
    keys = [
        on_stage.jira.create_issue(PROJECT, f"Wish {number}", reporter="Author").key
        for number in range(5)
    ]
    for key in keys:
        on_stage.jira.add_label(key, LABEL, "Author")
        time.sleep(0.002)  # Jira's clock counts milliseconds
        on_stage.deliver(key)
    work()
    until(lambda: on_stage.comments(operations) and on_stage.quiet())
    assert sum(bool(on_stage.comments(key)) for key in keys) == 2
    assert sum(on_stage.ticket(key)["quiet"] for key in keys) == 3
    (notice,) = on_stage.comments(operations).values()
    assert notice.startswith("[MANY LABELS]")
