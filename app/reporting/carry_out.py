"""What each command does, once it is known that the person may give it.

What is asked for shows in the comments that are there already; a reply is made only where they
would not change.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from app.core.commands import Command
from app.core.comments import replies
from app.core.eligibility import STORM, Reason
from app.core.run import RunRef
from app.reporting.apply import apply
from app.reporting.asked import Asked, Desk, Done, look, runs_of, said, shown_text
from app.reporting.report import report
from app.reporting.set_aside import set_aside
from app.reporting.split import split
from app.reporting.topup import topup
from app.store import inbox, runs, sites, spending, tickets
from app.store.sites import Row


def carry_out(asked: Asked, command: Command) -> Done:
    if command.name == "wrong":
        return set_aside(asked, command)
    if command.name == "topup":
        return topup(asked, command)
    return _ACTS[command.name](asked)


def _help(asked: Asked) -> Done:
    return Done("help", replies.help_reply())


def _score(asked: Asked) -> Done:
    look(asked)
    return Done("score")


def _approve(asked: Asked) -> Done:
    """Of the text that stood in our comment when the person wrote, and of no other: not of one
    that was slipped in since."""
    row = shown_text(asked)
    if row is None:
        text = "The text has changed since, or was not judged yet. Please look again, then approve."
        return said("approve: not of this text", text)
    approval = {
        "approved_by": asked.by,
        "approved_hash": row["told_hash"],
        "approved_at": asked.now,
    }
    look(asked, approval)
    return Done("approve")


def _run(asked: Asked) -> Done:
    before = runs_of(asked)
    if fault := _cannot_start("run", asked, before):
        return fault
    had = [row for row in before if row["spec_hash"] == asked.ticket.spec_hash()]
    if had:
        number = had[-1]["number"]
        text = f'This text has had its run ({number}). "agent retry" starts another one.'
        return said("run: this text has had its run", text)
    return _wish(asked, "run")


def _retry(asked: Asked) -> Done:
    before = runs_of(asked)
    if fault := _cannot_start("retry", asked, before):
        return fault
    if not before:
        text = 'There was no run yet, so there is none to retry: "agent run" starts one.'
        return said("retry: no run yet", text)
    return _wish(asked, "retry")


def _cannot_start(name: str, asked: Asked, before: Sequence[Row]) -> Done | None:
    if before and before[-1]["ended_at"] is None:
        number = before[-1]["number"]
        return said(f"{name}: a run is on", f'Run {number} is still on; "agent stop" ends it.')
    if asked.project is not None and asked.project["mode"] in ("watch", "advise"):
        text = "Nothing starts in this project: Signalbox only judges texts here."
        return said(f"{name}: the mode is {asked.project['mode']}", text)
    return None


def _wish(asked: Asked, name: str) -> Done:
    """Kept until it has had its run, or is overtaken or withdrawn. Whoever asks for this one ticket
    has thought of it: it is no part of a storm any more."""
    wish = {"wish_id": f"{name}:{asked.id}", "wish_by": asked.by, "wish_at": asked.written}
    look(asked, {**wish, "quiet": False})
    return Done(name)


def _stop(asked: Asked) -> Done:
    """The wish is written down; the worker that has the agent sees it and ends it."""
    desk = asked.desk
    for row in runs_of(asked):
        if row["ended_at"] is None and row["triggered_at"] < asked.edited:
            ref = RunRef(desk.site["id"], asked.ticket.id, row["key"], row["number"])
            runs.ask_stop(desk.db, ref, asked.by, 'asked by "agent stop"')
            _show_stop(desk, row, ref)
            return Done(f"stop: run {row['number']}")
    return _withdraw(asked)


def _show_stop(desk: Desk, row: Row, ref: RunRef) -> None:
    """In the run's comment, where it stands already: an end takes seconds."""
    project = sites.get_project(desk.db, ref.site_id, row["project_key"])
    if row["comment_id"] and project is not None:
        report(desk.db, desk.tracker, desk.site, project, desk.agent(row), ref)


def _withdraw(asked: Asked) -> Done:
    """No run is on: what may still start one is taken back, or named."""
    desk, label = asked.desk, asked.desk.site["label"]
    row = tickets.get(desk.db, desk.site["id"], asked.ticket.id)
    text = "No run is on, so there was nothing to stop."
    if row is not None and row["wish_id"] and row["wish_at"] < asked.edited:
        used = {run["trigger_id"] for run in runs_of(asked)}
        if row["wish_id"] not in used:
            look(asked, {"wish_id": None, "wish_by": None, "wish_at": None})
            text = "No run is on. The wish for one is taken back."
    if label in asked.ticket.labels:
        text += f' The label "{label}" still stands: remove it, so that none starts by it.'
    return said("stop: no run is on", text)


def _status(asked: Asked) -> Done:
    desk, ticket = asked.desk, asked.ticket
    row = tickets.get(desk.db, desk.site["id"], ticket.id)
    before = runs_of(asked)
    costs = asked.project is not None and asked.project["costs_in_comments"]
    view = replies.StatusView(
        verdict=row["verdict"] if row else None,
        score=row["score"] if row else None,
        reasons=_reasons(row),
        run=_last_run(before),
        cost=spending.ticket_cost(desk.db, desk.site["id"], ticket.id).posted if costs else None,
        currency=desk.site["currency"],
        simulated=any(run["simulated"] for run in before),
    )
    return Done("status", replies.status_reply(view))


def _reasons(row: Row | None) -> tuple[Reason, ...]:
    if row is None:
        return ()
    decision = row["decision"] or {}
    reasons = tuple(Reason(**reason) for reason in decision.get("reasons", ()))
    return (STORM, *reasons) if row["quiet"] and STORM not in reasons else reasons


def _last_run(before: Sequence[Row]) -> str:
    if not before:
        return ""
    last = before[-1]
    state = last["ending"] or "is on"
    return f"Run {last['number']} on {last['repository'].rpartition('/')[2]}: {state}."


def _pause(asked: Asked) -> Done:
    key = asked.ticket.project_key
    set_paused(asked.desk, key, paused=True, now=asked.now)
    text = f'Nothing more starts in {key} until an admin comments "agent resume". A run that is on '
    return said("pause", text + "ends with its attempt; stop it in its ticket.")


def _resume(asked: Asked) -> Done:
    key = asked.ticket.project_key
    set_paused(asked.desk, key, paused=False, now=asked.now)
    if asked.desk.site["paused_at"] is not None:
        text = f"{key} is no longer paused by itself, but all of this site is: signalbox resume."
        return said("resume: the site is paused", text)
    return said("resume", f"Agents can start in {key} again.")


def set_paused(desk: Desk, key: str, *, paused: bool, now: datetime) -> None:
    """Let nothing start in the project, or let it start again; the comments of tickets that wait
    stay true."""
    site_id = desk.site["id"]
    sites.set_paused(desk.db, site_id, key, now if paused else None)
    inbox.wake(desk.db, site_id, key, "paused" if paused else "resumed", now)


_ACTS: Mapping[str, Callable[[Asked], Done]] = {
    "apply": apply,
    "split": split,
    "score": _score,
    "run": _run,
    "approve": _approve,
    "stop": _stop,
    "retry": _retry,
    "status": _status,
    "pause": _pause,
    "resume": _resume,
    "help": _help,
}
