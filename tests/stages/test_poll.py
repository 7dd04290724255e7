"""Polling on a Jira in memory and a real database: all that changed, once, and nothing older."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.adapters.memory import FixedClock, MemoryTracker
from app.core.polling import FARTHEST, due, query
from app.core.text import from_plain
from app.core.ticket import Ticket
from app.intake import poll as polling
from app.intake.poll import poll
from app.ports import Transient
from app.store import polls, sites, tickets
from app.store.database import Database
from app.store.schema import inbox, site
from tests.engine.stage import set_up

CONNECTED = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)


@pytest.fixture
def jira(database: Database, tmp_path: Path) -> MemoryTracker:
    """A poll-only site that was connected a minute ago."""
    set_up(database, "http://127.0.0.1", "signalbox", ("", "token"), tmp_path)
    with database.write() as c:
        c.execute(site.update().values(connection="poll", connected_at=CONNECTED))
    return MemoryTracker(clock=FixedClock(CONNECTED + timedelta(minutes=1)))


def add(jira: MemoryTracker, number: int, *, labels: tuple[str, ...] = ("agent-ready",)) -> str:
    jira.add(
        Ticket(
            "acme",
            str(number),
            f"BILL-{number}",
            "BILL",
            "Story",
            "CSV export",
            from_plain("Quote fields."),
            frozenset(labels),
            "To Do",
            done=False,
            reporter="author",
            updated=jira.clock.now(),
        )
    )
    return str(number)


def polled(db: Database, jira: MemoryTracker) -> int:
    return poll(db, jira, sites.get_site(db, "acme"), jira.clock.now())


def rows(db: Database) -> list[tuple[str, str | None, str | None, str | None]]:
    with db.read() as c:
        found = c.execute(sa.select(inbox).order_by(inbox.c.seq)).mappings()
        return [(r["event"], r["issue_id"], r["comment_id"], r["outcome"]) for r in found]


def tick(jira: MemoryTracker, seconds: float = 30) -> None:
    assert isinstance(jira.clock, FixedClock)
    jira.clock.tick(seconds)


def test_a_labelled_ticket_is_found_once(database: Database, jira: MemoryTracker) -> None:
    add(jira, 1)
    assert [polled(database, jira), polled(database, jira)] == [1, 0]
    assert rows(database) == [("poll:ticket", "1", None, None)]


def test_another_ticket_is_named_and_left(database: Database, jira: MemoryTracker) -> None:
    add(jira, 1, labels=())
    polled(database, jira)
    assert rows(database) == [("poll:ticket", "1", None, "ignored")]


def test_one_given_to_us_is_found_without_a_label(database: Database, jira: MemoryTracker) -> None:
    jira.assign(add(jira, 1, labels=()), "signalbox", "author")
    polled(database, jira)
    assert rows(database) == [("poll:ticket", "1", None, None)]


def test_what_is_older_than_the_connection_is_not_touched(
    database: Database, jira: MemoryTracker
) -> None:
    issue = add(jira, 1)
    jira.edit(issue, updated=CONNECTED)
    comment = jira.say(issue, "author", "agent stop")
    jira.comments[issue] = [replace(comment, updated=CONNECTED - timedelta(seconds=1))]
    assert polled(database, jira) == 0
    assert rows(database) == []


def test_comments_of_people_come_in_and_ours_do_not(
    database: Database, jira: MemoryTracker
) -> None:
    issue = add(jira, 1)
    said = jira.say(issue, "author", "agent status")
    jira.put_comment(issue, "readiness", from_plain("Ours.").blocks)
    assert polled(database, jira) == 2
    assert ("poll:comment", "1", said.id, None) in rows(database)
    assert polled(database, jira) == 0


def test_a_comment_edited_later_comes_in_again(database: Database, jira: MemoryTracker) -> None:
    issue = add(jira, 1)
    said = jira.say(issue, "author", "agent stauts")
    polled(database, jira)
    tick(jira)
    jira.reword(issue, said.id, "author", "agent status")
    jira.edit(issue)
    assert polled(database, jira) == 2


def test_a_ticket_that_was_assessed_since_is_not_looked_at_again(
    database: Database, jira: MemoryTracker
) -> None:
    issue = add(jira, 1)
    polled(database, jira)
    tick(jira)
    updated = jira.edit(issue, summary="Other").updated
    tickets.ask(database, "acme", issue, {"seen_updated": updated}, "x", "asked", updated)
    polled(database, jira)
    assert [row for row in rows(database) if row[0] == "poll:ticket"][1:] == [
        ("poll:ticket", issue, None, "ignored")
    ]


def test_a_ticket_of_ours_that_lost_its_label_is_found(
    database: Database, jira: MemoryTracker
) -> None:
    issue = add(jira, 1)
    now = jira.clock.now()
    tickets.ask(database, "acme", issue, {"seen_updated": now}, "x", "asked", now)
    tick(jira)
    jira.label(issue, (), "author")
    polled(database, jira)
    assert rows(database)[-1] == ("poll:ticket", issue, None, None)


def test_where_jira_does_not_answer_the_next_poll_begins_at_the_same_place(
    database: Database, jira: MemoryTracker
) -> None:
    add(jira, 1)
    for broken in ("search", "comments_since"):
        jira.calls.fail(broken, Transient("Jira gave no answer."))
        with pytest.raises(Transient):
            polled(database, jira)
        assert sites.get_site(database, "acme")["polled_at"] is None
        assert rows(database) == []
    assert polled(database, jira) == 1


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    changes=st.lists(st.lists(st.integers(1, 6), max_size=8), max_size=6),
    read=st.integers(1, 4),
)
def test_however_much_changes_between_polls_the_last_state_of_each_is_seen(
    database: Database, jira: MemoryTracker, changes: list[list[int]], read: int
) -> None:
    with database.write() as c:
        c.execute(inbox.delete())
        c.execute(site.update().values(polled_at=None))
    jira.tickets.clear()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(polling, "MOST_READ", read)
        for batch in changes:
            for number in batch:
                tick(jira, 0.01)
                add(jira, number)
            polled(database, jira)
            tick(jira)
        for _ in range(40):
            polled(database, jira)
    expected = {polls.News(t.id, t.updated).ident for t in jira.tickets.values()}
    with database.read() as c:
        found = list(c.execute(sa.select(inbox.c.ident)).scalars())
    assert expected <= set(found)
    assert len(found) == len(set(found))


def test_the_query_is_bounded_and_reaches_far_enough() -> None:
    now = CONNECTED + timedelta(hours=1)
    assert query(["BILL", "API"], CONNECTED, now) == (
        'project in ("API", "BILL") AND updated >= "-63m" ORDER BY updated ASC'
    )
    assert 'updated >= "-3m"' in query(["A"], now, now)
    assert 'updated >= "-3m"' in query(["A"], now + timedelta(hours=5), now)
    most = int(FARTHEST / timedelta(minutes=1)) + 1
    assert f'"-{most}m"' in query(["A"], CONNECTED - timedelta(days=400), now)


def test_a_site_with_a_door_is_asked_seldom() -> None:
    assert due(CONNECTED, CONNECTED, door=False)
    assert not due(CONNECTED, CONNECTED + timedelta(minutes=4), door=True)
    assert due(CONNECTED, CONNECTED + timedelta(minutes=5), door=True)
