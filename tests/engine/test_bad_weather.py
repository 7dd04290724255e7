"""Jira in bad weather, through the whole engine: one comment each, patience, the last word."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from app.sandbox.faults import REASONS
from app.sandbox.journal import Entry
from app.sandbox.story import BILLING, LABEL, QUOTING, SPEED, VAGUE
from app.store import inbox
from app.store.database import Database
from tests.engine.story_stage import StoryStage, story_stage

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
NEW, EDIT = r"/comment$", r"/comment/\d+$"
CALM = 80
"""More requests than a ticket takes from its label to its result."""
GRACE = 0.4
"""Seconds in which what was under way already may still arrive."""


@pytest.fixture
def on(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[StoryStage]:
    monkeypatch.setattr(inbox, "FIRST_WAIT", timedelta(seconds=0.3))
    with story_stage(database, tmp_path, "token") as ready:
        yield ready


def label_good_ticket(on: StoryStage) -> str:
    key = on.write(BILLING, "CSV export: quote fields", QUOTING, issue_type="Bug")
    on.jira.add_label(key, LABEL, "Author")
    return key


def struck(on: StoryStage) -> list[Entry]:
    return [entry for entry in on.jira.journal if entry.fault]


def moment(entry: Entry) -> float:
    return datetime.fromisoformat(entry.at).timestamp()


def one_of_each(on: StoryStage, key: str) -> None:
    """One comment each, all with our mark, all about how it ended."""
    site, issue = on.site_id, on.jira.issue(key).id
    run = f"run:{site}:{issue}:1"
    found = on.comments(key)
    assert set(found) == {"readiness", run, f"result:{run}"}
    assert len(on.jira.comments(key)) == 3
    assert "the label has had its run (run 1)" in found["readiness"].splitlines()[0]
    assert found[run].startswith("[FINISHED]")
    assert "please review the branch agent/BILL-1-1" in found[f"result:{run}"]
    assert [row["ending"] for row in on.runs()] == ["Succeeded"]


FAULTS = {
    "before": ("500", "502", "503"),
    "after": ("timeout_after_write", "truncated", "timeout_after_write"),
}


@sqlite_only
@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_a_fault_at_each_comment(on: StoryStage, faults: tuple[str, ...]) -> None:
    for kind in faults:
        on.jira.faults.add(kind=kind, method="POST", path_pattern=NEW)
    on.jira.faults.add(kind="drop", method="PUT", path_pattern=EDIT, times=2)
    key = label_good_ticket(on)
    on.until(lambda: on.runs() and on.at_rest())
    one_of_each(on, key)
    assert [e.fault for e in struck(on) if e.method == "POST"] == [named(kind) for kind in faults]
    written = [entry for entry in on.jira.journal.find("POST", NEW) if entry.handled]
    assert len(written) == 3
    assert len(on.jira.journal) <= CALM + 10 * len(struck(on))


def named(kind: str) -> str:
    return "status" if kind.isdigit() else kind


@sqlite_only
@pytest.mark.parametrize("reason", REASONS)
def test_a_limit_of_each_reason(on: StoryStage, reason: str) -> None:
    """As long as Jira asks for, nothing of what it meant is sent."""
    quota = reason.startswith("jira-quota")
    after = "4" if quota else REASONS[reason]
    limits = on.jira.faults
    limits.add(kind="429", method="POST", path_pattern=NEW, reason=reason, retry_after=after)
    key = label_good_ticket(on)
    on.until(lambda: on.runs() and on.at_rest())
    one_of_each(on, key)
    (limit,) = struck(on)
    wait = float(after) - 0.01
    meant = [e for e in on.jira.journal if quota or e.method != "GET"]
    if reason == "jira-burst-based":  # of this call alone
        meant = on.jira.journal.find("POST", NEW)
        meant = [entry for entry in meant if told_key(entry) == told_key(limit)]
    later = [moment(entry) - moment(limit) for entry in meant if entry.number > limit.number]
    assert not [seconds for seconds in later if GRACE < seconds < wait]
    assert any(seconds >= wait for seconds in later)
    assert len(on.jira.journal) <= CALM


def told_key(entry: Entry) -> str:
    return str(entry.body["properties"][0]["value"]["key"])


@sqlite_only
def test_the_last_edit_has_the_last_word(on: StoryStage) -> None:
    on.change(mode="advise")
    key = on.write(BILLING, "Make the CSV export better", VAGUE)
    on.jira.faults.add(kind="timeout_after_write", method="POST", path_pattern=NEW)
    on.jira.add_label(key, LABEL, "Author")
    on.until(lambda: on.comments(key) and on.at_rest())
    for kind in ("503", "timeout_after_write", "429", "truncated", "drop"):
        on.jira.faults.add(kind=kind, method="PUT", path_pattern=EDIT)
    for text in (*(f"{VAGUE} Version {number}." for number in range(6)), SPEED, VAGUE, SPEED):
        on.jira.edit(key, {"description": text}, "Author")
        on.jira.webhooks.drain()
    on.until(on.at_rest)
    assert len(struck(on)) >= 5
    row = on.ticket(key)
    assert (row["verdict"], row["told_hash"]) == ("ready", row["spec_hash"])
    (comment,) = on.comments(key).values()
    assert comment.startswith("[READY] ")
    assert len(on.jira.journal) <= 3 * CALM
