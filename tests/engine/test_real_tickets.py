"""Five tickets as people really wrote them, from Jira to their ends, through the whole service."""

from __future__ import annotations

import csv
import gzip
import subprocess
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from app import main
from app.adapters.vault import Vault, new_key
from app.config import Settings
from app.core.money import MICRO
from app.core.readiness import assess
from app.core.wiki import from_wiki
from app.sandbox.rehearsal import RehearsalAgent
from app.store import budgets, sites, spending
from tests.engine.stage import LABEL, LONG_AGO, PROJECT, SITE, Stage, until

pytestmark = pytest.mark.shared

FILE = "score_bench/data/storypoints/duracloud.csv.gz"
KEY = "DURACLOUD"
THRESHOLD = 50  # 70 is what a new project gets
FIT, UNFIT = 3, 2
SECRET = "a secret of the test"


class Written(NamedTuple):
    key: str
    summary: str
    description: str
    ready: bool


def written(shared: Path) -> Iterator[Written]:
    """The project's tickets, oldest first, each judged as the service will judge it: the must-haves
    stay as they are by default, only the score that is asked for is lower."""
    with gzip.open(shared / FILE, "rt", newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            text = row["description"]
            readiness = assess(row["title"], from_wiki(text), "Task", threshold=THRESHOLD)
            yield Written(row["issuekey"], row["title"], text, readiness.verdict == "ready")


def five(shared: Path) -> list[Written]:
    """The rule of choice: the first three that have every must-have and the first two that lack
    one, in the order in which they were written."""
    fit = islice((ticket for ticket in written(shared) if ticket.ready), FIT)
    unfit = islice((ticket for ticket in written(shared) if not ticket.ready), UNFIT)
    chosen = {ticket.key for ticket in (*fit, *unfit)}
    return [ticket for ticket in written(shared) if ticket.key in chosen]


@pytest.fixture
def webhook(on_stage: Stage, tmp_path: Path) -> Iterator[None]:
    """The real web part, and Jira's webhook to it, signed."""
    settings = Settings(secret_key=new_key(), data=tmp_path, database_url=on_stage.db.url)
    sealed = Vault(settings.secret_key).seal(SECRET)
    sites.add_site(on_stage.db, {**sites.get_site(on_stage.db, SITE), "webhook_secret": sealed})
    with main.running_web(main.web_app(settings, on_stage.db), 0) as address:
        on_stage.jira.webhook(f"{address}/webhooks/jira/{SITE}", SECRET)
        yield
        on_stage.jira.webhooks.close()


def connect(on: Stage) -> None:
    """A project of their own, with a lower threshold than usual."""
    on.jira.add_project(KEY)
    on.jira.grant_role("Author", KEY, "Developers")
    known: Any = sites.get_project(on.db, SITE, PROJECT)
    sites.add_project(on.db, {**known, "key": KEY, "threshold": THRESHOLD, "slots": FIT})
    budgets.set_limit(on.db, SITE, "project", KEY, "month", 50 * MICRO, "admin", LONG_AGO)


def load(on: Stage, tickets: list[Written]) -> dict[str, Written]:
    """As they stand in the file, each labelled by a person afterwards. By the key they got."""
    loaded = {}
    for ticket in tickets:
        issue = on.jira.create_issue(
            KEY, ticket.summary, description=ticket.description, issue_type="Task"
        )
        loaded[issue.key] = ticket
    for key in loaded:
        on.jira.add_label(key, LABEL, "Author")
    return loaded


@pytest.mark.usefixtures("webhook")
def test_real_tickets_come_to_their_ends(
    on_stage: Stage, work: Callable[..., Any], shared: Path
) -> None:
    connect(on_stage)
    loaded = load(on_stage, five(shared))
    assert len(loaded) == FIT + UNFIT
    work(agent=RehearsalAgent(pace=0))
    until(lambda: at_rest(on_stage), 60)
    for key, ticket in loaded.items():
        told = on_stage.comments(key)
        if ticket.ready:
            ran_to_its_end(on_stage, key, told)
        else:
            was_asked(on_stage, key, told)
    assert len(on_stage.runs()) == FIT >= 2
    assert {outcome for outcome, _ in on_stage.outcomes()} == {"handled", "ignored"}
    totals = spending.totals(on_stage.db)
    assert (totals["held"], totals["open_holds"]) == (0, 0)
    assert totals["posted"] > 0


def at_rest(on: Stage) -> bool:
    if not on.quiet() or len(on.runs()) < FIT:
        return False
    on.jira.webhooks.drain()
    told = [on.comments(run["key"]) for run in on.runs()]
    return on.quiet() and all(len(comments) == 3 for comments in told)


def ran_to_its_end(on: Stage, key: str, told: dict[str, str]) -> None:
    """A branch with our commit, the result with its evidence, and what it cost."""
    (run,) = [run for run in on.runs() if run["key"] == key]
    branch = f"agent/{key}-1"
    assert run["ending"] == "Succeeded"
    argv = ["git", "-C", str(on.origin), "rev-parse", f"refs/heads/{branch}"]
    head = subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    assert head == run["commit"]
    workflow = f"run:{SITE}:{run['issue_id']}:1"
    assert set(told) == {"readiness", workflow, f"result:{workflow}"}
    assert told["readiness"].startswith("[READY] No agent will start: the label has had its run")
    assert told[workflow].startswith("[FINISHED] Rehearsal agent (simulated)")
    result = told[f"result:{workflow}"]
    assert result.startswith(
        "[FINISHED] Rehearsal agent (simulated) has finished. A person is next"
    )
    assert f"Branch {branch}, commit {head[:10]}" in result
    assert "python3 -m unittest -q" in result
    assert "| passed | run by Signalbox: ended with 0 |" in result
    assert "spent (simulated)" in result
    assert on.ticket(key)["score"] >= THRESHOLD


def was_asked(on: Stage, key: str, told: dict[str, str]) -> None:
    """One comment with questions; no run, nothing spent."""
    (comment,) = told.values()
    assert list(told) == ["readiness"]
    first, *rest = comment.splitlines()
    assert first.startswith(("[NOT YET] No agent will start", "[NEARLY] No agent will start"))
    assert "Nothing was spent." in comment
    asked = [line for line in rest if line.startswith(("1. ", "2. ", "3. ", "4. ", "5. "))]
    assert 1 <= len(asked) <= 5
    assert "For example" in asked[0]
    row = on.ticket(key)
    assert [reason["code"] for reason in row["decision"]["reasons"]] == ["not_ready"]
    assert spending.ticket_cost(on.db, SITE, row["issue_id"]) == (0, 0)
    assert [run for run in on.runs() if run["key"] == key] == []
