"""What is looked for on a schedule: deferred tickets whose hindrance may be gone, and records
that are older than they may get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import structlog
from dbos import DBOS

from app.engine import money_steps, sweep_steps

log = structlog.get_logger()

KEEP_TEXTS = timedelta(days=30)
KEEP_ASSESSMENTS = timedelta(days=2)  # their ids are counted up and never come again
TELL_MONEY = 30  # seconds: a run that is short of money does not wait long for more
KEEP_INTENTS = timedelta(days=90)  # deleting one frees its once-key


@dataclass(frozen=True, slots=True)
class Rhythm:
    """Seconds between two looks: look_again, at deferred tickets; poll, at what changed in Jira."""

    look_again: int
    poll: int


@DBOS.workflow(name="look_again")
def look_again(when: datetime, context: Any) -> None:
    """Runs without a workflow, results that were not told, deferred tickets: once more."""
    _each(sweep_steps.reconcile, sweep_steps.tell_untold, sweep_steps.wake_deferred)


@DBOS.workflow(name="tell_money")
def tell_money(when: datetime, context: Any) -> None:
    """Runs whose money is nearly used, budgets that fill up: each told once."""
    _each(money_steps.tell_left, money_steps.tell_alerts, money_steps.send_alerts)


@DBOS.workflow(name="tell_week")
def tell_week(when: datetime, context: Any) -> None:
    """The week of each project, once it has ended where the site is."""
    _each(money_steps.tell_week)


def _each(*sweeps: Callable[[], int]) -> None:
    for sweep in sweeps:
        try:
            sweep()
        except Exception as fault:  # noqa: BLE001 - a fault in one must not end the others
            log.error("a sweep failed; it is tried again", sweep=sweep.__name__, fault=repr(fault))


@DBOS.workflow(name="poll_sites")
def poll_sites(when: datetime, context: Any) -> None:
    """Each site by itself, so that a slow one holds up no other."""
    for site_id in sweep_steps.due_sites():
        DBOS.start_workflow(poll_site, site_id)


@DBOS.workflow(name="poll_site")
def poll_site(site_id: str) -> None:
    """What changed there becomes deliveries."""
    sweep_steps.poll(site_id)


@DBOS.workflow(name="remind")
def remind(when: datetime, context: Any) -> None:
    """What an admin has to do soon."""
    sweep_steps.warn_of_expiry()


@DBOS.workflow(name="report_people")
def report_people(when: datetime, context: Any) -> None:
    """The duty of apps that keep account ids."""
    sweep_steps.report_people()


@DBOS.workflow(name="tidy")
def tidy(when: datetime, context: Any) -> None:
    """The ledger is checked; old texts and ended workflows go."""
    sweep_steps.check_ledger()
    sweep_steps.erase_texts((when - KEEP_TEXTS).isoformat())
    sweep_steps.remove_workspaces((when - KEEP_TEXTS).isoformat())
    often = [
        "find_ticket",
        "assess_ticket",
        "look_again",
        "poll_sites",
        "poll_site",
        "remind",
        "report_people",
        "tell_money",
        "tell_week",
        "tidy",
    ]
    sweep_steps.delete_workflows((when - KEEP_ASSESSMENTS).isoformat(), often)
    seldom = ["run_ticket", "obey_comment", "obey_press", "find_mention", "cancel_task"]
    seldom += ["tell_result", "tell_storm"]
    sweep_steps.delete_workflows((when - KEEP_INTENTS).isoformat(), seldom)


def schedule(rhythm: Rhythm) -> None:
    """Create the schedules, or change them where they exist."""
    wanted = {
        "look-again": (look_again, _every(rhythm.look_again)),
        "poll": (poll_sites, _every(rhythm.poll)),
        "tell-money": (tell_money, _every(TELL_MONEY)),
        "tell-week": (tell_week, "0 11 * * * *"),  # each hour, as midnight is another one elsewhere
        "remind": (remind, "0 53 5 * * *"),
        # Atlassian wants it once in seven days: twice, so that one may fail.
        "report-people": (report_people, "0 41 4 * * 1,4"),
        "tidy": (tidy, "0 23 3 * * *"),
    }
    for name, (workflow, cron) in wanted.items():
        known = DBOS.get_schedule(name)
        if known is not None and known["schedule"] == cron:
            continue
        if known is not None:
            DBOS.delete_schedule(name)
        DBOS.create_schedule(schedule_name=name, workflow_fn=workflow, schedule=cron)


def _every(seconds: int) -> str:
    """A cron line with seconds. Above a minute it is rounded to whole minutes."""
    return f"*/{seconds} * * * * *" if seconds < 60 else f"0 */{max(1, seconds // 60)} * * * *"
