"""Attempts that have used most of what is set aside for them: their run's comment says what is
left to do, while there is time to top up."""

from __future__ import annotations

from typing import NamedTuple

from app.core.money import nearly_used
from app.core.run import RunRef
from app.store import calls, run_money, runs
from app.store.database import Database


class Low(NamedTuple):
    """An attempt of a run, and what is set aside for it."""

    ref: RunRef
    attempt: int
    held: int


def running_low(db: Database) -> list[Low]:
    """Those whose comment has not said so yet; once more where what was added is used too."""
    found = []
    for row in runs.attempts_at_work(db):
        ref = RunRef(row["site_id"], row["issue_id"], row["key"], row["run"])
        held = run_money.aside(db, ref, row["number"]).held
        used = calls.cost(db, ref, row["number"])
        if nearly_used(used, held) and held > (row["warned"] or 0):
            found.append(Low(ref, row["number"], held))
    return found
