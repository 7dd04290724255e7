"""Deliveries: each kept once, relayed once, and told what became of it.

This is no queue: no attempts, no back-off, no schedule. The relay marks a row and enqueues its
workflow in one transaction, so that a crash leaves both or neither.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.store.database import Database
from app.store.schema import inbox, ticket

Enqueue = Callable[[Connection, str, str, tuple[Any, ...]], None]
"""Starts workflow `name` under an id with arguments, in the caller's transaction."""
MESSAGES = {
    "mention": "find_mention",
    "cancel": "cancel_task",
    "press": "obey_press",
    "notice": "tell_storm",
}
"""Workflows of what the agent connector and our own pages tell us, by the kind of the delivery."""
PRESS = "signalbox:press"
"""How the inbox calls a button that was pressed."""


@dataclass(frozen=True, slots=True)
class Press:
    """A button that a person pressed on a page of ours. id: of this press, so that it acts once.

    at: when it was pressed. That gives no right: rights are read when it is obeyed.
    """

    id: str
    account_id: str
    command: str
    argument: str
    at: datetime


def receive(db: Database, row: Mapping[str, Any]) -> str:
    """Keep the delivery; the id under which it, or an earlier one of the same change, is kept."""
    with db.write() as c:
        c.execute(db.insert(inbox).values(**row).on_conflict_do_nothing())
        same = sa.and_(inbox.c.site_id == row["site_id"], inbox.c.ident == row["ident"])
        if row["once_key"] is not None:
            once = sa.and_(inbox.c.site_id == row["site_id"], inbox.c.once_key == row["once_key"])
            same = sa.or_(same, once)
        return str(c.execute(sa.select(inbox.c.id).where(same).order_by(inbox.c.seq)).scalar())


def wake(db: Database, site_id: str, project_key: str | None, why: str, now: datetime) -> int:
    """Have every deferred ticket of the site or project looked at again. How many there are."""
    with db.write() as c:
        return wake_in(c, db, site_id, project_key, why, now)


def wake_in(
    c: Connection, db: Database, site_id: str, project_key: str | None, why: str, now: datetime
) -> int:
    query = sa.select(ticket).where(ticket.c.site_id == site_id, ticket.c.look_again.is_(True))
    query = query.order_by(ticket.c.issue_id)  # two of us take locks in the same order
    if project_key is not None:
        query = query.where(ticket.c.project_key == project_key)
    rows = list(c.execute(query).mappings())
    for row in rows:
        put_own(c, db, site_id, row["issue_id"], f"wake:{row['issue_id']}:{row['gen']}", why, now)
    return len(rows)


def put_own(  # noqa: PLR0913 - a delivery of our own has as many parts
    c: Connection, db: Database, site_id: str, issue_id: str, ident: str, why: str, now: datetime
) -> None:
    """An inbox row that we write ourselves: the ticket is to be looked at again."""
    row = {
        "id": f"own-{site_id}-{ident}",
        "site_id": site_id,
        "ident": ident,
        "event": "signalbox:" + why,
        "kind": "ticket",
        "issue_id": issue_id,
        "reason": "",
        "received_at": now,
    }
    c.execute(db.insert(inbox).values(**row).on_conflict_do_nothing())


def press(db: Database, site_id: str, issue_id: str, press: Press) -> str:
    """Keep the press, once; the id under which it is kept. issue_id: of the ticket, or
    "project:KEY" where a page of the project was pressed on."""
    ident = f"press:{press.id}"
    row = {
        "id": f"own-{site_id}-{ident}",
        "site_id": site_id,
        "ident": ident,
        "event": f"{PRESS}:{press.command}",
        "kind": "press",
        "issue_id": issue_id,
        "body": json.dumps(asdict(press) | {"at": press.at.isoformat()}).encode(),
        "reason": "",
        "received_at": press.at,
    }
    with db.write() as c:
        c.execute(db.insert(inbox).values(**row).on_conflict_do_nothing())
    return str(row["id"])


def pressed(db: Database, seq: int) -> Press:
    """The press that a delivery stands for."""
    with db.read() as c:
        body = c.execute(sa.select(inbox.c.body).where(inbox.c.seq == seq)).scalar_one()
    told = json.loads(body)
    return Press(**told | {"at": datetime.fromisoformat(told["at"])})


def relay(db: Database, enqueue: Enqueue, now: datetime, most: int = 100) -> int:
    """Hand the waiting deliveries to their workflows. How many rows there were."""
    with db.write() as c:
        due = sa.or_(inbox.c.not_before.is_(None), inbox.c.not_before <= now)
        unseen = sa.and_(inbox.c.relayed_at.is_(None), inbox.c.outcome.is_(None))
        waiting = sa.select(inbox).where(unseen, due).order_by(inbox.c.seq).limit(most)
        if not db.sqlite:
            waiting = waiting.with_for_update(skip_locked=True)
        rows = list(c.execute(waiting).mappings())
        for row in rows:
            values = {"workflow_id": _start(c, db, enqueue, row), "relays": row["relays"] + 1}
            mark = inbox.update().where(inbox.c.seq == row["seq"])
            c.execute(mark.values(relayed_at=now, **values))
    return len(rows)


def _start(c: Connection, db: Database, enqueue: Enqueue, row: sa.RowMapping) -> str:
    """Enqueue what the row asks for; the id of the workflow that will settle it."""
    site_id, issue_id = row["site_id"], row["issue_id"]
    workflow_id = ""
    if issue_id is None:
        workflow_id = f"find:{site_id}:{row['seq']}.{row['relays']}"
        enqueue(c, "find_ticket", workflow_id, (site_id, row["issue_key"], row["seq"]))
        return workflow_id
    if row["kind"] in ("ticket", "both"):
        workflow_id = _assess(c, db, enqueue, site_id, issue_id)
    if row["kind"] in ("comment", "both"):
        # Once for each delivery and try: that a comment acts once is kept in `obeyed`.
        args = (site_id, issue_id, row["comment_id"])
        workflow_id = f"command:{':'.join(args)}:{row['seq']}.{row['relays']}"
        enqueue(c, "obey_comment", workflow_id, args)
    if row["kind"] in MESSAGES:
        workflow_id = f"{row['kind']}:{site_id}:{row['seq']}.{row['relays']}"
        enqueue(c, MESSAGES[row["kind"]], workflow_id, (site_id, issue_id, row["seq"]))
    return workflow_id


def _assess(c: Connection, db: Database, enqueue: Enqueue, site_id: str, issue_id: str) -> str:
    """Events of one ticket that arrive before its assessment begins share that assessment."""
    first = {"site_id": site_id, "issue_id": issue_id, "gen": 1, "taken": 0}
    key = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == issue_id)
    made = c.execute(db.insert(ticket).values(**first).on_conflict_do_nothing()).rowcount
    bump = ticket.update().where(key, ticket.c.taken >= ticket.c.gen).values(gen=ticket.c.gen + 1)
    begun = c.execute(bump).rowcount
    gen = int(c.execute(sa.select(ticket.c.gen).where(key)).scalar_one())
    workflow_id = f"assess:{site_id}:{issue_id}:{gen}"
    if made or begun:
        enqueue(c, "assess_ticket", workflow_id, (site_id, issue_id, gen))
    return workflow_id


def found(db: Database, seq: int, issue_id: str) -> None:
    """The ticket of a delivery that named only its key: now it can be relayed."""
    unknown = sa.and_(inbox.c.seq == seq, inbox.c.issue_id.is_(None))
    values = {"issue_id": issue_id, "relayed_at": None, "workflow_id": None}
    with db.write() as c:
        c.execute(inbox.update().where(unknown).values(**values))


def settle(db: Database, workflow_id: str, outcome: str, reason: str) -> None:
    """Write what became of every delivery that this workflow stood for."""
    mine = sa.and_(inbox.c.workflow_id == workflow_id, inbox.c.outcome.is_(None))
    with db.write() as c:
        if outcome != "parked":  # rows of our own have said all they had to say, but for presses
            own = sa.and_(inbox.c.event.startswith("signalbox:"), inbox.c.kind != "press")
            c.execute(inbox.delete().where(mine, own))
        c.execute(inbox.update().where(mine).values(outcome=outcome, reason=reason))


def unpark(db: Database, site_id: str, issue_id: str, reason: str) -> None:
    """The ticket was assessed after all: what an earlier fault had parked is handled by that."""
    parked = sa.and_(inbox.c.site_id == site_id, inbox.c.issue_id == issue_id)
    parked = sa.and_(parked, inbox.c.outcome == "parked", inbox.c.kind.in_(("ticket", "both")))
    with db.write() as c:
        c.execute(inbox.update().where(parked).values(outcome="handled", reason=reason))


def replay(db: Database, site_id: str | None, delivery: str | None) -> int:
    """Hand what is parked to the relay once more: this delivery, or all. How many there are.

    A command that was obeyed before is not obeyed again. A press whose body is erased stays.
    """
    parked = sa.and_(inbox.c.outcome == "parked", inbox.c.kind != "none")
    parked = sa.and_(parked, sa.or_(inbox.c.kind != "press", inbox.c.body.is_not(None)))
    if site_id is not None:
        parked = sa.and_(parked, inbox.c.site_id == site_id)
    if delivery is not None:
        parked = sa.and_(parked, inbox.c.id == delivery)
    with db.write() as c:
        for of in c.execute(sa.select(inbox.c.site_id, inbox.c.issue_id).where(parked)).all():
            _begun(c, *of)
        again = {"outcome": None, "reason": "replayed", "relayed_at": None, "not_before": None}
        return c.execute(inbox.update().where(parked).values(**again, workflow_id=None)).rowcount


def _begun(c: Connection, site_id: str, issue_id: str | None) -> None:
    """An assessment that will never begin counts as begun: no later event waits for it."""
    of = sa.and_(ticket.c.site_id == site_id, ticket.c.issue_id == issue_id)
    c.execute(ticket.update().where(of).values(taken=ticket.c.gen))


def park_first(db: Database, fault: str) -> None:
    """Put the oldest waiting delivery aside: it broke the relay."""
    first = sa.select(sa.func.min(inbox.c.seq)).where(
        inbox.c.relayed_at.is_(None), inbox.c.outcome.is_(None)
    )
    with db.write() as c:
        poison = inbox.update().where(inbox.c.seq == first.scalar_subquery())
        c.execute(poison.values(outcome="parked", reason=fault))


def deliveries(db: Database, site_id: str | None, most: int = 100) -> list[sa.RowMapping]:
    """The newest first, without bodies."""
    columns = [column for column in inbox.c if column.name != "body"]
    query = sa.select(*columns).order_by(inbox.c.seq.desc()).limit(most)
    if site_id is not None:
        query = query.where(inbox.c.site_id == site_id)
    with db.read() as c:
        return list(c.execute(query).mappings())


def counts(db: Database, site_id: str | None = None) -> dict[str, int]:
    """Deliveries by outcome; "waiting" are those without one. Our own rows do not count."""
    outcome = sa.func.coalesce(inbox.c.outcome, "waiting")
    query = sa.select(outcome, sa.func.count()).where(~inbox.c.event.startswith("signalbox:"))
    if site_id is not None:
        query = query.where(inbox.c.site_id == site_id)
    with db.read() as c:
        return {name: count for name, count in c.execute(query.group_by(outcome)).all()}  # noqa: C416


def erase_bodies(db: Database, before: datetime) -> int:
    """Bodies are kept for tracing a fault, 30 days at most; the row with its key stays."""
    old = sa.and_(inbox.c.received_at < before, inbox.c.body.is_not(None))
    with db.write() as c:
        return c.execute(inbox.update().where(old).values(body=None)).rowcount


FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=15), timedelta(minutes=10)


def wait_again(db: Database, workflow_id: str, why: str, now: datetime) -> None:
    """The deliveries of this workflow wait for the relay once more, longer each time: nothing is
    lost, and meanwhile they hold up nobody."""
    with db.write() as c:
        _wait_again(c, workflow_id, why, now)


def _wait_again(c: Connection, workflow_id: str, why: str, now: datetime) -> int:
    mine = sa.and_(inbox.c.workflow_id == workflow_id, inbox.c.outcome.is_(None))
    rows = c.execute(sa.select(inbox.c.seq, inbox.c.relays).where(mine)).all()
    for row in rows:
        wait = min(FIRST_WAIT * 2 ** min(row.relays - 1, 8), LONGEST_WAIT)
        values = {"relayed_at": None, "workflow_id": None, "reason": why}
        again = inbox.update().where(inbox.c.seq == row.seq)
        c.execute(again.values(**values, not_before=now + wait))
    return len(rows)


def under_way(db: Database) -> list[str]:
    """The workflows that are to settle deliveries."""
    waiting = sa.and_(inbox.c.relayed_at.is_not(None), inbox.c.outcome.is_(None))
    with db.read() as c:
        return list(c.execute(sa.select(inbox.c.workflow_id).where(waiting).distinct()).scalars())


def put_back(db: Database, workflow_id: str, now: datetime) -> int:
    """This workflow is no more: its deliveries go back to the relay. How many there are."""
    mine = sa.and_(inbox.c.workflow_id == workflow_id, inbox.c.outcome.is_(None))
    concerned = sa.select(inbox.c.site_id, inbox.c.issue_id).where(mine).distinct()
    with db.write() as c:
        for of in c.execute(concerned).all():
            _begun(c, *of)
        return _wait_again(c, workflow_id, "its workflow broke; tried again later", now)
