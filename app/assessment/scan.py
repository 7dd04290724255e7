"""Judge a whole backlog by the checklist: read in parts, nothing written to Jira, no text kept."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from datetime import datetime
from typing import Any

from app.core.backlog import NOT_JUDGED, Standing, standing
from app.core.readiness import assess
from app.core.rights import left_alone
from app.core.rubric import RUBRIC
from app.core.shards import Part, cut, query
from app.core.ticket import Ticket
from app.ports import Refused, Shard, Tracker
from app.store import scans, sites
from app.store.database import Database
from app.store.scans import Row

READERS = 4
"""Parts that are read at once: more makes Jira ask to wait."""
Told = Callable[[int, int], None]
"""Called after each page with the tickets read so far, and about how many there are."""


def begin(
    db: Database, tracker: Tracker, site_id: str, wish: tuple[str, str], now: datetime
) -> Row:
    """A new scan of `wish`, a query and a project's key; how its tickets are cut into parts."""
    jql, project_key = wish
    whole = query(jql, project_key)
    parts = cut(lambda part: tracker.count(part.jql(whole)), now.date())
    values = {"site_id": site_id, "project_key": project_key, "jql": whole}
    return scans.begin(db, {**values, "rubric": RUBRIC, "started_at": now}, parts)


def read_on(db: Database, tracker: Tracker, row: Row, told: Told) -> None:
    """Read and judge what is left of the scan. Whatever ends it before its time, what was judged
    is kept, and the next call goes on from there."""
    parts = [Part.read(kept) for kept in row["parts"]]
    todo = [number for number, part in enumerate(parts) if not part.done][::-1]
    total, seen = sum(part.tickets for part in parts), sum(scans.counts(db, row).values())
    judge = _Judge(db, row["site_id"])
    told(seen, total)
    reading: dict[Future[Shard], int] = {}
    fault: BaseException | None = None
    with ThreadPoolExecutor(READERS) as pool:
        while reading or (todo and fault is None):
            while todo and fault is None and len(reading) < READERS:
                number = todo.pop()
                reading[pool.submit(_page, tracker, row["jql"], parts[number])] = number
            ended, _ = wait(reading, return_when=FIRST_COMPLETED)
            for each in ended:
                number = reading.pop(each)
                if found := each.exception():  # what the others bring is still kept
                    fault = fault or found
                    continue
                shard = each.result()
                over = not shard.following
                parts[number] = replace(parts[number], at=shard.following, done=over)
                todo += [] if over else [number]
                scans.record(db, row, [judge(ticket) for ticket in shard.tickets], parts)
                seen += len(shard.tickets)
                told(seen, total)
    if fault is not None:
        raise fault


def _page(tracker: Tracker, jql: str, part: Part) -> Shard:
    try:
        return tracker.scan(part.jql(jql), part.at)
    except Refused:
        if not part.at:
            raise
        return tracker.scan(part.jql(jql))  # Jira forgets a place after some days


class _Judge:
    """By the rules of each ticket's project, or the usual ones where it is not connected."""

    def __init__(self, db: Database, site_id: str) -> None:
        self._db, self._site_id = db, site_id
        self._projects: dict[str, Row | None] = {}

    def __call__(self, ticket: Ticket) -> scans.Judged:
        return ticket.id, ticket.key, ticket.project_key, self._standing(ticket)

    def _standing(self, ticket: Ticket) -> Standing:
        project = self._project(ticket.project_key)
        apart = ticket.restricted if project is None else left_alone(ticket, project)
        if ticket.done or apart:
            return NOT_JUDGED
        text = ticket.summary, ticket.description, ticket.issue_type
        return standing(assess(*text, **rules(project)))

    def _project(self, key: str) -> Row | None:
        if key not in self._projects:
            self._projects[key] = sites.get_project(self._db, self._site_id, key)
        return self._projects[key]


def rules(project: Mapping[Any, Any] | None) -> dict[str, Any]:
    """What `assess` takes of a project."""
    if project is None:
        return {}
    return {"must_haves": frozenset(project["must_haves"]), "threshold": project["threshold"]}
