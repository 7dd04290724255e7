"""The day on which a site with a long past is connected: nobody is annoyed, and nothing starts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from app import main
from app.adapters.clock import SystemClock
from app.adapters.vault import Vault
from app.admin.frame_tokens import Sessions, Viewer
from app.admin.surfaces import Frame, Look
from app.admin.surfaces_project import PAGE, project_page
from app.engine import sweep_steps
from app.sandbox.story import BILLING, LABEL, QUOTING
from app.store.database import Database
from app.store.schema import inbox, ticket
from tests.browser.reading import words
from tests.engine.story_stage import StoryStage, story_stage

MANY = 500
sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


@pytest.fixture(params=["token", "poll"])
def on(database: Database, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[StoryStage]:
    def before(jira: Any) -> None:
        assert len(jira.seed_old_backlog(BILLING, MANY, LABEL)) == MANY

    with story_stage(database, tmp_path, request.param, before=before) as ready:
        yield ready


def known(on: StoryStage, table: Any) -> int:
    with on.db.read() as c:
        return int(c.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def written(on: StoryStage) -> list[str]:
    """Paths of all that changed Jira, or would have. Searches are POSTs too."""
    return [e.path for e in on.jira.journal.writes() if not re.search("/(search|list)", e.path)]


def listed(on: StoryStage, page: int) -> str:
    """The group of old labels on the project's page, as its admin sees it."""
    vault = Vault(on.settings.secret_key)
    frame = Frame(
        on.db,
        SystemClock(),
        main.tracker_factory(on.settings, vault),
        main.agents(on.settings),
        Sessions(on.settings.secret_key),
    )
    author = on.jira.user("Author").account_id
    viewer = Viewer(on.site_id, author, "project", BILLING, frame.clock.now())
    return " ".join(words(project_page(frame, viewer, Look("old", page))))


@sqlite_only
def test_an_old_backlog_is_listed_and_left_alone(on: StoryStage) -> None:
    for _ in range(3):  # the schedule asks Jira beside a webhook too
        assert sweep_steps.poll(on.site_id) == 0
    assert sweep_steps.wake_deferred() == 0

    pages = [listed(on, number) for number in range(1, MANY // PAGE + 2)]
    assert f"Old labels {MANY}" in pages[0]
    assert "Something old, number 1 " in pages[0]
    shown = [re.findall(r"\bBILL-\d+", page) for page in pages]
    assert [len(keys) for keys in shown] == [PAGE] * (MANY // PAGE) + [0]
    assert {key for keys in shown for key in keys} == {f"BILL-{n}" for n in range(1, MANY + 1)}

    assert (known(on, inbox), known(on, ticket), on.runs()) == (0, 0, [])
    assert written(on) == []
    an_edit_is_judged_and_starts_nothing(on, "BILL-77")
    asked_anew_it_runs(on, "BILL-77")


def an_edit_is_judged_and_starts_nothing(on: StoryStage, old: str) -> None:
    on.jira.edit(old, {"description": QUOTING}, "Author")
    on.until(lambda: on.comments(old) and on.at_rest())
    row = on.ticket(old)
    assert (row["verdict"], row["decision"]["decision"]) == ("ready", "defer")
    assert [reason["code"] for reason in row["decision"]["reasons"]] == ["label_older"]
    first, second = on.comments(old)["readiness"].splitlines()[:2]
    assert first == "[WAITS] No agent will start yet. The text is fine (100/100)."
    assert second == (
        '1. The label "agent-ready" is older than the connection to Signalbox. '
        "Remove it and set it again to ask for a run."
    )
    assert sweep_steps.wake_deferred() == 0
    assert (known(on, ticket), on.runs(), on.branches()) == (1, [], [])
    about = f"/rest/api/3/issue/{on.jira.issue(old).id}/"
    assert {path.removeprefix(about) for path in written(on)} == {
        "comment",
        "properties/signalbox.readiness",
    }
    (shown,) = [page for page in (listed(on, 2), listed(on, 3)) if f"{old} " in page]
    assert f"Old labels {MANY}" in shown


def asked_anew_it_runs(on: StoryStage, old: str) -> None:
    on.jira.remove_label(old, LABEL, "Author")
    on.jira.add_label(old, LABEL, "Author")
    on.until(lambda: on.runs() and on.at_rest())
    assert [(run["key"], run["ending"]) for run in on.runs()] == [(old, "Succeeded")]
