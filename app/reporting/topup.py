"""`agent topup AMOUNT`: more money for the attempt that is on, where every budget above has room.

The hold is named by the comment, so however often that is delivered, it is set aside once.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from app.core.commands import Command
from app.core.money import parse_amount, show
from app.core.run import RunRef
from app.core.shortage import no_room
from app.reporting.asked import Asked, Done, runs_of, said
from app.reporting.report import report
from app.store import corrections, ledger, sites, spending
from app.store.sites import Row
from app.store.spending import Hold


def topup(asked: Asked, command: Command) -> Done:
    desk, amount = asked.desk, parse_amount(command.argument)
    if amount == 0:
        return said("topup: nothing", 'That is no money: say how much, such as "agent topup 3".')
    key = f"topup:{asked.id}"
    made = spending.hold_of(desk.db, desk.site["id"], key)
    if made is not None:
        return _made_before(asked, made, amount)
    row = next((row for row in runs_of(asked) if row["ended_at"] is None), None)
    first = None if row is None else _open_hold(asked, row)
    if row is None or first is None or row["triggered_at"] >= asked.edited:
        text = "No attempt is at work here, so there is no money to add to. Nothing was set aside."
        return said("topup: no attempt is on", text)
    try:
        got = corrections.top_up(
            desk.db,
            key=key,
            site_id=desk.site["id"],
            hold_id=first.id,
            zone=desk.site["zone"],
            amount=amount,
            actor=asked.by,
            now=asked.now,
        )
    except ledger.HoldConflict:  # it has ended since we looked
        text = "The attempt has ended by now. Nothing was set aside."
        return said("topup: the attempt has ended", text)
    if isinstance(got, ledger.NoRoom):
        return _refused(asked, got)
    return _shown(asked, row, amount)


def _open_hold(asked: Asked, row: Row) -> Hold | None:
    """The money that the run's newest attempt began with, while it is on."""
    ref = _ref(asked, row)
    mine = [
        each
        for each in spending.open_holds(asked.desk.db, ref.site_id)
        if (each.issue_id, each.run) == (ref.issue_id, ref.number)
        and each.id == ref.hold_id(each.attempt)
    ]
    return max(mine, key=lambda each: each.attempt, default=None)


def _ref(asked: Asked, row: Row) -> RunRef:
    return RunRef(asked.desk.site["id"], asked.ticket.id, row["key"], row["number"])


def _refused(asked: Asked, room: ledger.NoRoom) -> Done:
    """With the numbers, and who can lift it. What the attempt has stays as it was."""
    site = asked.desk.site
    reason = no_room(room, site["currency"], ZoneInfo(site["zone"]))
    told = reason.told(costs=_costs(asked))
    return said(f"topup: {reason.code}", f"Nothing was added. {told}")


def _shown(asked: Asked, row: Row, amount: int) -> Done:
    """In the run's comment, where it stands already; else in an answer."""
    if row["comment_id"] and asked.project is not None:
        desk, ref = asked.desk, _ref(asked, row)
        project = sites.get_project(desk.db, ref.site_id, row["project_key"])
        if project is not None:
            report(desk.db, desk.tracker, desk.site, project, desk.agent(row), ref)
            return Done("topup")
    return said("topup", f"{_money(asked, amount)} more set aside for the attempt that is on.")


def _made_before(asked: Asked, made: Hold, amount: int) -> Done:
    """Cut off after the money was set aside; or the comment says another amount by now."""
    if made.amount != amount:
        text = f"This comment has set {_money(asked, made.amount)} aside before. Write another one."
        return said("topup: another amount before", text)
    rows = [row for row in runs_of(asked) if row["number"] == made.run]
    return _shown(asked, rows[0], amount)


def _money(asked: Asked, amount: int) -> str:
    return show(amount, asked.desk.site["currency"]) if _costs(asked) else "money"


def _costs(asked: Asked) -> bool:
    return asked.project is not None and bool(asked.project["costs_in_comments"])
