"""What asks for a start, read from Jira by ourselves: the label, an assignment to us, a person's
word in a command."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.eligibility import PEOPLE, Trigger
from app.core.rights import holds
from app.core.signals import PastRun, Signals, Wanted, order, standing
from app.core.ticket import Ticket
from app.ports import Refused, Tracker
from app.store import sites, tickets
from app.store.database import Database
from app.store.sites import Row


def signals(
    tracker: Tracker, site: Row, ticket: Ticket, before: Sequence[Row], *, asked: bool = False
) -> Signals:
    """The ticket's signals. After a run, or where somebody `asked` in words, those count too that
    do not stand any more: one may have bridged the gap between two others, or been withdrawn."""
    shown = ticket.shows(site["label"], site["account_id"])
    all_of_it = bool(before) or asked
    label = tracker.label_history(ticket.id) if all_of_it or "label" in shown else ()
    given = tracker.assignments(ticket.id) if all_of_it or "assign" in shown else ()
    return standing(label, given, Wanted(site["label"], site["account_id"], shown))


def past(rows: Sequence[Row]) -> list[PastRun]:
    return [PastRun(row["trigger_id"], row["triggered_at"], row["ended_at"]) for row in rows]


def find(
    db: Database, tracker: Tracker, site: Row, ticket: Ticket, before: Sequence[Row]
) -> Trigger | None:
    """The newest intent that has not had its run, if there is one.

    Of several signals for the same intent that of a person who may dispatch counts, and a label
    that was set as one of many comes last: nobody takes a start away by adding a signal.
    """
    row = tickets.get(db, ticket.site_id, ticket.id)
    word = _word(row)
    now = signals(tracker, site, ticket, before, asked=word is not None)
    runs = past(before)
    wishes = [*now.news(runs)]
    if word is not None and _counts(word, now, runs):
        wishes.append(word)
    wishes.sort(key=lambda wish: wish.at, reverse=True)
    if len(wishes) < 2:
        return wishes[0] if wishes else None
    meant = [wish for wish in wishes if not (row is not None and row["quiet"] and wish.is_label)]
    able = (wish for wish in meant if _is_able(may(db, tracker, ticket, wish.actor)))
    return next(able, wishes[0])


def _is_able(found: tuple[str | None, bool | None]) -> bool:
    return found[0] in PEOPLE and found[1] is True


def _word(row: Row | None) -> Trigger | None:
    """What a person asked for in words: "agent run" or "agent retry"."""
    if row is None or not row["wish_id"]:
        return None
    return Trigger(row["wish_id"], row["wish_by"], row["wish_at"])


def _counts(word: Trigger, now: Signals, before: Sequence[PastRun]) -> bool:
    """A word goes with the last signal that is taken away after it. "agent run" is one more signal:
    while a run is on it says nothing new. "agent retry" wants another run."""
    if now.withdrawn_since(PastRun(word.id, word.at, None)):
        return False
    if not word.id.startswith("retry:"):
        return now.is_new(word, before)
    return all(run.trigger != word.id and order(run)[0] < word.at for run in before)


def may(
    db: Database, tracker: Tracker, ticket: Ticket, account_id: str
) -> tuple[str | None, bool | None]:
    """What kind of account it is and whether it may dispatch; None where Jira does not tell."""
    try:
        account = tracker.account(account_id)
        roles = tracker.roles(ticket.project_key, account_id)
    except Refused:
        return None, None
    grants = sites.grants(db, ticket.site_id, ticket.project_key)
    return account.kind, account.active and holds("dispatch", grants, account_id, roles)
