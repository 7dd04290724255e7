"""The ledger with one fault each, such as other ledgers really had: the first ten are seeded by
the specification, the others are our own."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from app.core.periods import period_end
from app.store import alerts, chain, corrections, holds, journal, ledger
from app.store.chain import Line, Rules, Used
from app.store.database import Database
from app.store.journal import Act, Change, Moves
from app.store.schema_money import hold
from tests.store.ledger_machine import Clock
from tests.store.ledger_model import ZONE

Patch = pytest.MonkeyPatch
After = list[tuple[Line, Used]]


def _shift(
    patch: Patch, change: Callable[[int, int, After], After] = lambda posted, held, after: after
) -> None:
    """What `shift` answers is changed; the balances are not."""
    real = chain.shift

    def shift(
        c: Connection, site_id: str, lines: Sequence[Line], *, posted: int = 0, held: int = 0
    ) -> After:
        return change(posted, held, real(c, site_id, lines, posted=posted, held=held))

    patch.setattr(chain, "shift", shift)


def ignore_open_holds(patch: Patch) -> None:
    _shift(
        patch,
        lambda posted, held, after: (
            [(line, used._replace(held=held)) for line, used in after] if held > 0 else after
        ),
    )


def check_the_leaf_only(patch: Patch) -> None:
    _shift(
        patch,
        lambda posted, held, after: [
            (line, used if line.kind == "ticket" or held <= 0 else Used(0, 0))
            for line, used in after
        ],
    )


def commit_a_partial_chain(patch: Patch) -> None:
    """Down the chain one balance after another, and nothing takes back the first ones."""

    def set_aside(c: Connection, db: Database, row: Any, zone: str, now: Any) -> None:
        rules = chain.rules(c, row, now)
        lines = chain.lines(row)
        ledger._refuse_unfit([(line, Used(0, 0)) for line in lines], rules, row)
        amount = row["amount"]
        for line in lines:
            ((_, used),) = after = chain.shift(c, row["site_id"], [line], held=amount)
            limit = rules.limit(*line[:3])
            if limit is not None and sum(used) > limit:
                chain.shift(c, row["site_id"], [line], held=-amount)
                c.execute(hold.delete().where(holds.named(row["site_id"], row["id"])))
                ends = period_end(line.period, now, zone)
                room = (*line[:3], limit, used.posted, used.held - amount, amount, ends)
                raise ledger._Refused(ledger.NoRoom(*room))
            alerts.note(c, db, row["site_id"], rules, after, used=amount, spent=0, now=now)

    patch.setattr(ledger, "_set_aside", set_aside)
    patch.setattr(Connection, "begin_nested", lambda _: nullcontext())


def settle_twice(patch: Patch) -> None:
    _end_in_any_state(patch, "posted")


def void_after_posting(patch: Patch) -> None:
    _end_in_any_state(patch, "void")


def _end_in_any_state(patch: Patch, state: str) -> None:
    real = holds.resolve

    def resolve(c: Connection, act: Act, wanted: str, actual: int | None) -> holds.Resolved:
        if wanted == state:
            open_again = hold.update().where(holds.named(act.site_id, act.hold_id))
            c.execute(open_again.values(state="held", refunded=0))
        return real(c, act, wanted, actual)

    patch.setattr(holds, "resolve", resolve)


def do_not_release(patch: Patch) -> None:
    real = chain.shift

    def shift(
        c: Connection, site_id: str, lines: Sequence[Line], *, posted: int = 0, held: int = 0
    ) -> After:
        return real(c, site_id, lines, posted=posted, held=-posted if held < 0 else held)

    patch.setattr(chain, "shift", shift)


def drop_the_overrun(patch: Patch) -> None:
    real = holds.resolve

    def resolve(c: Connection, act: Act, state: str, actual: int | None) -> holds.Resolved:
        row, again = real(c, act, state, actual)
        assert row is not None
        cost = None if row["actual"] is None else min(row["actual"], row["amount"])
        return holds.Resolved({**row, "actual": cost}, again)  # type: ignore[arg-type]

    patch.setattr(holds, "resolve", resolve)


def utc_instead_of_the_zone(patch: Patch) -> None:
    real = chain.starts
    patch.setattr(chain, "starts", lambda _, now: real("UTC", now))


def settle_into_todays_period(patch: Patch) -> None:
    real = chain.lines

    def lines(of: Any) -> list[Line]:
        return real({**of, **chain.starts(ZONE, Clock.now)} if "state" in of else of)

    patch.setattr(chain, "lines", lines)


def refund_above_what_was_posted(patch: Patch) -> None:
    def give_back(c: Connection, row: sa.RowMapping, amount: int, act: Act) -> None:
        chain.shift(c, row["site_id"], chain.lines(row), posted=-amount)
        journal.write(c, act, [("spent", -amount), ("available", amount)])

    patch.setattr(corrections, "_give_back", give_back)


SEEDED = (
    ignore_open_holds,
    check_the_leaf_only,
    commit_a_partial_chain,
    settle_twice,
    void_after_posting,
    do_not_release,
    drop_the_overrun,
    utc_instead_of_the_zone,
    settle_into_todays_period,
    refund_above_what_was_posted,
)


def one_too_many(patch: Patch) -> None:
    def change(posted: int, held: int, after: After) -> After:
        return [(line, used._replace(held=used.held - (held > 0))) for line, used in after]

    _shift(patch, change)


def no_default_for_the_unknown(patch: Patch) -> None:
    patch.setattr(Rules, "set_there", lambda rules, *slot: rules.limits.get(slot))


def same_id_other_amount(patch: Patch) -> None:
    patch.setattr(ledger, "TERMS", ())


def ended_hold_is_good_again(patch: Patch) -> None:
    def same_again(_c: object, row: dict[str, Any]) -> ledger.Reserved:
        return ledger.Reserved(row["id"], row["amount"], again=True)

    patch.setattr(ledger, "_same_again", same_again)


def _rules(patch: Patch, change: Callable[[Rules], Rules]) -> None:
    real = chain.rules
    patch.setattr(chain, "rules", lambda c, of, now: change(real(c, of, now)))


def nobody_has_to_see_an_overrun(patch: Patch) -> None:
    _rules(patch, lambda rules: replace(rules, overrun=False))


def forget_the_journal_of_an_overrun(patch: Patch) -> None:
    real = journal.write

    def write(c: Connection, act: Act | Change, moves: Moves) -> None:
        if act.verb != "overrun":
            real(c, act, moves)

    patch.setattr(journal, "write", write)


def sites_share_their_money(patch: Patch) -> None:
    real = chain.lines
    patch.setattr(chain, "lines", lambda of: real({**of, "site_id": "shared"}))


def nobody_pays_who_asked(patch: Patch) -> None:
    real = chain.lines
    patch.setattr(chain, "lines", lambda of: [x for x in real(of) if x.kind != "person"])


def a_correction_counts_each_time(patch: Patch) -> None:
    patch.setattr(corrections, "_first", lambda *_: True)


def alerts_are_forgotten(patch: Patch) -> None:
    patch.setattr(alerts, "THRESHOLDS", (50, 80))


MUTANTS: tuple[Callable[[Patch], None], ...] = (
    *SEEDED,
    one_too_many,
    no_default_for_the_unknown,
    same_id_other_amount,
    ended_hold_is_good_again,
    nobody_has_to_see_an_overrun,
    forget_the_journal_of_an_overrun,
    sites_share_their_money,
    nobody_pays_who_asked,
    a_correction_counts_each_time,
    alerts_are_forgotten,
)
