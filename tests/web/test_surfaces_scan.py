"""What the project page shows of a scan of the backlog."""

from __future__ import annotations

import pytest
from inline_snapshot import snapshot

from app.assessment.scan import begin, read_on
from app.sandbox.story import QUOTING, VAGUE
from app.store import scans, surfaces
from app.store.database import Database
from app.store.scans import Row
from tests.browser.frames import ADMIN, HOSTILE, Stage
from tests.browser.reading import page, words


@pytest.fixture
def stage(database: Database) -> Stage:
    return Stage(database)


def scanned(stage: Stage, *, ended: bool = True) -> Row:
    row = begin(stage.db, stage.jira, "acme", ("", "BILL"), stage.clock.now())
    read_on(stage.db, stage.jira, row, lambda seen, total: None)
    if ended:
        scans.finish(stage.db, row, stage.clock.now())
    return row


def backlog(stage: Stage) -> list[str]:
    shown = words(page(stage, "project", "BILL", ADMIN))
    return shown[shown.index("The backlog") :]


def test_a_scan_on_the_project_page(stage: Stage) -> None:
    stage.project()
    stage.ticket(1, "Quote fields in CSV", QUOTING)
    for number in range(2, 14):
        stage.ticket(number, f"CSV export is slow {number}", VAGUE)
    stage.ticket(14, HOSTILE, "")
    scanned(stage)
    shown = backlog(stage)
    assert shown[:9] == snapshot(
        [
            "The backlog",
            "Scanned 10:00 CET: 14 tickets read. By the checklist v1, no AI; the text stayed",
            "here. Again: signalbox scan --project BILL",
            "Ready now 1",
            "Ticket",
            "State",
            "Asked first",
            "BILL-1 Quote fields in CSV",
            "ready",
        ]
    )
    assert shown[-4:] == snapshot(
        [
            "not yet",
            "50/100",
            "Acceptance and 2 more",
            "The nearest 10 of 13. All of them: signalbox scan --project BILL --csv backlog.csv",
        ]
    )
    assert HOSTILE not in page(stage, "project", "BILL", ADMIN)


def test_a_scan_that_has_not_ended_says_how_to_go_on(stage: Stage) -> None:
    stage.project()
    stage.ticket(1, "Quote fields in CSV", QUOTING)
    scanned(stage, ended=False)
    assert backlog(stage)[1:4] == snapshot(
        [
            "A scan began 10:00 CET and has not ended; signalbox scan --resume goes on with it: 1",
            "tickets read. By the checklist v1, no AI; the text stayed here. Again: signalbox",
            "scan --project BILL",
        ]
    )


def test_the_page_ticks_when_a_scan_comes_on(stage: Stage) -> None:
    stage.project()
    stage.ticket(1, "Quote fields in CSV", QUOTING)
    marks = [surfaces.mark(stage.db, "acme", "BILL", None)]
    row = scanned(stage, ended=False)
    marks.append(surfaces.mark(stage.db, "acme", "BILL", None))
    scans.finish(stage.db, row, stage.clock.now())
    marks.append(surfaces.mark(stage.db, "acme", "BILL", None))
    assert len(set(marks)) == 3
    assert marks[-1] == surfaces.mark(stage.db, "acme", "BILL", None)


def test_without_jira_the_scan_is_still_there(stage: Stage) -> None:
    from tests.browser.frames import AWAY

    stage.project()
    stage.ticket(1, "Quote fields in CSV", QUOTING)
    scanned(stage)
    stage.jira.calls.fail("search", AWAY)
    assert "BILL-1" in backlog(stage)
