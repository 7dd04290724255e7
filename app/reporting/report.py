"""The run comment, edited at state changes only, and the result as a comment of its own."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

from app.core.comments.result import Costs, ResultView, result_comment
from app.core.comments.run import Origin, RunMoney, RunView, run_comment, ticks
from app.core.forecast import Forecast
from app.core.run import DRIFTED, Check, Ending, RunRef
from app.ports import NotFound, Tracker
from app.store import calls, run_money, runs, sites, spending
from app.store.database import Database
from app.store.sites import Row

STEPS = (
    "read ticket and repository rules",
    "make workspace",
    "agent changes files",
    "run acceptance command",
    "push branch",
)
HOW: Mapping[str, Literal["labelled", "assigned", "asked", "retry asked"]] = {
    "label": "labelled",
    "assign": "assigned",
    "run": "asked",
    "retry": "retry asked",
}
CHECKS_TOLD = 4
"""Edits of a run's comment on the way, at most; with a stop and the end there are six."""
PROPERTY = "signalbox.run"
OPEN_CAGE = "no cage on this machine: an admin accepted that"


class Agent(NamedTuple):
    title: str
    simulated: bool
    gated: bool  # spending is stopped from outside of it


def report(
    db: Database, tracker: Tracker, site: Row, project: Row, agent: Agent, ref: RunRef
) -> None:
    """Write the run comment as things are now. A ticket that is gone needs none."""
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    view = run_view(db, site, project, agent, row)
    try:
        comment_id = tracker.put_comment(ref.issue_id, ref.workflow_id, run_comment(view))
        tracker.set_property(ref.issue_id, PROPERTY, _property(view, project, row))
    except NotFound:
        return
    if comment_id != row["comment_id"]:
        runs.note(db, ref, comment_id=comment_id)


def _property(view: RunView, project: Row, row: Row) -> dict[str, Any]:
    """What JQL, panels and other apps may read, money only where comments may name it."""
    return {
        "state": view.ending or "Running",
        "run": view.number,
        "attempt": view.attempt,
        "cost_micro": view.money.spent if project["costs_in_comments"] else None,
        "currency": view.money.currency,
        "simulated": view.money.simulated,
        "pull_request": row["pull_request"],
        "branch": view.branch,
    }


def run_view(db: Database, site: Row, project: Row, agent: Agent, row: Row) -> RunView:
    """The run as it stands: the comment and the panel say the same."""
    ref = RunRef(row["site_id"], row["issue_id"], row["key"], row["number"])
    done = runs.attempts(db, ref)
    money = spending.run_money(db, ref.site_id, ref.issue_id, ref.number)
    open_attempt = next((a["number"] for a in done if a["ended_at"] is None), None)
    used = calls.cost(db, ref, open_attempt) if open_attempt else 0
    aside = run_money.aside(db, ref, open_attempt or len(done) + 1)
    ended = row["ended_at"]
    number = max((a["number"] for a in done), default=1)
    ending = Ending(row["ending"]) if row["ending"] else None
    failed = ending not in (None, Ending.SUCCEEDED)
    return RunView(
        agent_title=agent.title,
        number=ref.number,
        repository=short_name(row["repository"]),
        branch=ref.branch,
        ticks=ticks(STEPS, row["step"] + (ended is not None and not failed), failed=failed),
        step=max(1, row["step"]),
        attempt=number,
        attempts=max(number, project["attempts"]),
        money=RunMoney(
            spent=money.posted + used,
            held=money.held,
            currency=site["currency"],
            simulated=row["simulated"],
            cap_holds=agent.gated,
            topped_up=aside.topped_up,
            used=used,
        ),
        forecast=Forecast(**row["forecast"]) if row["forecast"] else None,
        origin=Origin(
            asked_at=row["triggered_at"],
            asked_by=row["actor"],
            text_as_of=row["spec_as_of"],
            approved_at=row["approved_at"],
            approved_by=row["approved_by"],
            how=HOW[row["trigger_id"].partition(":")[0]],
        ),
        zone=ZoneInfo(site["zone"]),
        started=row["created_at"],
        latest_end=_latest_end(row["created_at"], project),
        sign_of_life=row["sign_at"],
        ended=ended,
        ending=ending,
        cage=_cage(row),
        stop_asked=row["stop_why"] is not None,
        costs=project["costs_in_comments"],
    )


def report_end(
    db: Database, tracker: Tracker, site: Row, agent: Agent, ref: RunRef, now: datetime
) -> None:
    """The result: the one comment of a run that people are to be told of, so it is a new one."""
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    done = runs.attempts(db, ref)
    view = ResultView(
        agent_title=agent.title,
        number=ref.number,
        ending=Ending(row["ending"]),
        branch=ref.branch,
        base_branch=row["base_branch"],
        costs=_costs(db, site, row, ref),
        change=row["change"] or "",
        commit=row["commit"],
        pull_request=row["pull_request"],
        checks=tuple(Check(**check) for check in row["acceptance"] or ()),
        cause=row["cause"] or "",
        stopped_by=row["stop_by"] or "",
        stopped_why="" if row["stop_why"] in (None, DRIFTED) else row["stop_why"],
        ended=row["ended_at"],
        zone=ZoneInfo(site["zone"]),
        said=(done[-1]["said"] or "") if done else "",
        cage=_cage(row),
    )
    with contextlib.suppress(NotFound):  # there is nobody left to tell
        tracker.put_comment(ref.issue_id, f"result:{ref.workflow_id}", result_comment(view))
    runs.note(db, ref, told_at=now)


def _costs(db: Database, site: Row, row: Row, ref: RunRef) -> Costs | None:
    project = sites.get_project(db, ref.site_id, row["project_key"])
    if project is None or not project["costs_in_comments"]:
        return None
    cost = spending.run_money(db, ref.site_id, ref.issue_id, ref.number).posted
    return Costs(
        run=cost,
        ticket=spending.ticket_cost(db, ref.site_id, ref.issue_id).posted,
        returned=max(0, run_money.set_aside(db, ref) - cost),
        currency=site["currency"],
        simulated=row["simulated"],
    )


def short_name(repository: str) -> str:
    return repository.rstrip("/").rpartition("/")[2].removesuffix(".git") or repository


def _cage(row: Row) -> str:
    return OPEN_CAGE if row["cage"] == "none" else ""


def _latest_end(started: datetime, project: Row) -> datetime:
    """Each attempt and each acceptance command has its own limit."""
    return started + timedelta(seconds=2 * project["attempts"] * project["attempt_seconds"])
