"""Requests to a model, as the gate saw them: one row a call, kept while it is open."""

from __future__ import annotations

from datetime import datetime

import sqlalchemy as sa

from app.core.run import CallUsage, RunRef
from app.store.database import Database
from app.store.schema import model_call


def _of(ref: RunRef, number: int) -> dict[str, object]:
    return {
        "site_id": ref.site_id,
        "issue_id": ref.issue_id,
        "run": ref.number,
        "attempt": number,
    }


def started(
    db: Database, ref: RunRef, number: int, call_id: str, bound: int, now: datetime
) -> None:
    """Before a request is let through: what it can cost at most, in micro-units."""
    row = {**_of(ref, number), "call_id": call_id, "bound": bound, "started_at": now}
    with db.write() as c:
        c.execute(db.insert(model_call).values(**row).on_conflict_do_nothing())


def finished(
    db: Database, ref: RunRef, number: int, call_id: str, usage: CallUsage, now: datetime
) -> None:
    values = {
        "message_id": usage.message_id,
        "model": usage.model,
        "input_tokens": usage.input_tokens,
        "cache_write_tokens": usage.cache_write_tokens,
        "cache_read_tokens": usage.cache_read_tokens,
        "output_tokens": usage.output_tokens,
        "cost": usage.cost,
        "finished_at": now,
    }
    same = [model_call.c[name] == value for name, value in _of(ref, number).items()]
    with db.write() as c:
        mine = model_call.update().where(*same, model_call.c.call_id == call_id)
        c.execute(mine.values(**values))


def cost(db: Database, ref: RunRef, number: int) -> int:
    """Micro-units of an attempt: finished calls at their cost, open or unpriced ones at their
    bound, as they were probably billed."""
    same = [model_call.c[name] == value for name, value in _of(ref, number).items()]
    each = sa.func.coalesce(model_call.c.cost, model_call.c.bound)
    with db.read() as c:
        return int(
            c.execute(sa.select(sa.func.coalesce(sa.func.sum(each), 0)).where(*same)).scalar_one()
        )
