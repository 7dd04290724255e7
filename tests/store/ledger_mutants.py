"""The ledger with one fault each, such as other ledgers really had."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core import periods
from app.store import chain, ledger
from app.store.chain import Act, Line
from app.store.database import Database
from app.store.schema import balance, bucket, hold
from tests.store.ledger_machine import Clock
from tests.store.ledger_model import ZONE

Patch = pytest.MonkeyPatch


def ignore_open_holds(patch: Patch) -> None:
    _admit_by(patch, lambda line, limit, posted, held, amount: posted + amount <= limit)


def check_the_leaf_only(patch: Patch) -> None:
    _admit_by(
        patch,
        lambda line, limit, posted, held, amount: (
            line.kind != "ticket" or posted + held + amount <= limit
        ),
    )


def one_too_many(patch: Patch) -> None:
    _admit_by(patch, lambda line, limit, posted, held, amount: posted + held + amount <= limit + 1)


def commit_a_partial_chain(patch: Patch) -> None:
    _admit_by(patch, lambda line, limit, posted, held, amount: posted + held + amount <= limit)
    patch.setattr(Connection, "begin_nested", lambda _: nullcontext())


def _admit_by(patch: Patch, fits: Callable[[Line, int, int, int, int], bool]) -> None:
    """A ledger that goes down the chain one balance after another."""

    def set_aside(
        c: Connection, db: Database, site_id: str, rows: Sequence[Line], amount: int
    ) -> None:
        for line in rows:
            new = db.insert(balance).values(site_id=site_id, **chain.key(line), posted=0, held=0)
            c.execute(new.on_conflict_do_nothing())
            posted, held = chain._locked(c, site_id, [line])[line.kind, line.period]
            if line.limit is not None and not fits(line, line.limit, posted, held, amount):
                raise chain.Full(line, posted, held)
            chain.move(c, site_id, [line], held=amount, posted=0)

    patch.setattr(chain, "set_aside", set_aside)


def settle_twice(patch: Patch) -> None:
    _end_in_any_state(patch, "posted")


def void_after_posting(patch: Patch) -> None:
    _end_in_any_state(patch, "void")


def _end_in_any_state(patch: Patch, state: str) -> None:
    real = ledger._end

    def end(c: Connection, site_id: str, hold_id: str, values: dict[str, Any]) -> ledger.Ended:
        if values["state"] == state:
            c.execute(hold.update().where(ledger._named(site_id, hold_id)).values(state="held"))
        return real(c, site_id, hold_id, values)

    patch.setattr(ledger, "_end", end)


def do_not_release(patch: Patch) -> None:
    real = chain.move

    def move(c: Connection, site_id: str, rows: Iterable[Line], *, held: int, posted: int) -> None:
        real(c, site_id, rows, held=-posted, posted=posted)

    patch.setattr(chain, "move", move)


def drop_the_overrun(patch: Patch) -> None:
    real = ledger._end

    def end(c: Connection, site_id: str, hold_id: str, values: dict[str, Any]) -> ledger.Ended:
        ended = real(c, site_id, hold_id, values)
        return replace(ended, actual=min(ended.actual or 0, ended.amount))

    patch.setattr(ledger, "_end", end)


def utc_instead_of_the_zone(patch: Patch) -> None:
    patch.setattr(
        chain, "period_start", lambda period, now, _: periods.period_start(period, now, "UTC")
    )


def settle_into_todays_period(patch: Patch) -> None:
    real = chain.lines_of

    def lines_of(c: Connection, site_id: str, hold_id: str) -> list[Line]:
        return [
            replace(line, starts=periods.period_start(line.period, Clock.now, ZONE))
            for line in real(c, site_id, hold_id)
        ]

    patch.setattr(chain, "lines_of", lines_of)


def no_default_for_the_unknown(patch: Patch) -> None:
    def in_force(
        limits: Mapping[tuple[str, str, str], int | None], kind: str, subject: str, period: str
    ) -> int | None:
        return limits.get((kind, subject, period))

    patch.setattr(chain, "in_force", in_force)


def default_beats_own_limit(patch: Patch) -> None:
    def in_force(
        limits: Mapping[tuple[str, str, str], int | None], kind: str, subject: str, period: str
    ) -> int | None:
        default = limits.get((kind, chain.DEFAULT, period))
        return limits.get((kind, subject, period)) if default is None else default

    patch.setattr(chain, "in_force", in_force)


def same_id_other_amount(patch: Patch) -> None:
    patch.setattr(ledger, "TERMS", ())


def ended_hold_is_good_again(patch: Patch) -> None:
    def same_again(_c: object, _site: str, hold_id: str, terms: dict[str, Any]) -> ledger.Reserved:
        return ledger.Reserved(hold_id, terms["amount"], again=True)

    patch.setattr(ledger, "_same_again", same_again)


def nobody_has_to_see_an_overrun(patch: Patch) -> None:
    patch.setattr(ledger, "_unseen_overrun", lambda *_: False)


def forget_the_journal_of_an_overrun(patch: Patch) -> None:
    real = chain.write_down

    def write_down(
        c: Connection, act: Act, rows: Iterable[Line], moves: Sequence[tuple[str, int]]
    ) -> None:
        if act.verb != "overrun":
            real(c, act, rows, moves)

    patch.setattr(chain, "write_down", write_down)


def sites_share_their_limits(patch: Patch) -> None:
    def limits(
        c: Connection, _site_id: str, subjects: Mapping[str, str]
    ) -> dict[tuple[str, str, str], int | None]:
        rows = c.execute(sa.select(bucket).order_by(bucket.c.site_id)).mappings()
        return {(row["kind"], row["subject"], row["period"]): row["limit"] for row in rows}

    patch.setattr(chain, "_limits", limits)


MUTANTS: tuple[Callable[[Patch], None], ...] = (
    ignore_open_holds,
    check_the_leaf_only,
    commit_a_partial_chain,
    settle_twice,
    void_after_posting,
    do_not_release,
    drop_the_overrun,
    utc_instead_of_the_zone,
    settle_into_todays_period,
    one_too_many,
    no_default_for_the_unknown,
    default_beats_own_limit,
    same_id_other_amount,
    ended_hold_is_good_again,
    nobody_has_to_see_an_overrun,
    forget_the_journal_of_an_overrun,
    sites_share_their_limits,
)
