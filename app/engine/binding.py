"""What every durable step works with: ports and store, and patience with bad weather."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from dbos import error as engine_error

from app.core.run import RunRef
from app.engine.parts import Parts
from app.ports import PortError, RateLimited, Refused, Tracker, Transient
from app.reporting import report as reporting
from app.store import installs, runs, sites
from app.store.database import DatabaseAway
from app.store.inbox import Enqueue
from app.store.sites import Row

SHORT_WAIT, LONGEST_WAIT = 3.0, 60.0  # seconds that a step waits where Jira says how long
GIVEN_UP = {
    "weather": "Jira, the repository or the database did not answer for minutes",
    "lost": "its workflow broke; an admin finds why in the log",
}

_bound: list[tuple[Parts, Enqueue, Callable[[], None]]] = []


def bind(parts: Parts, enqueue: Enqueue, alive: Callable[[], None]) -> None:
    """Give the steps of this process what they work with. `alive` is called before anything is
    done outside: on Postgres it ends a worker that was declared dead while it slept."""
    _bound[:] = [(parts, enqueue, alive)]


def bound() -> tuple[Parts, Enqueue, Callable[[], None]]:
    return _bound[0]


def parts() -> Parts:
    return _bound[0][0]


def tracker_of(site_id: str) -> tuple[Row, Tracker]:
    """The site and its Jira, which knows us by an account that we may have to ask for first: the
    credential that an app is handed does not say. Raises Refused where the app was uninstalled."""
    ports, _, alive = bound()
    alive()
    site = sites.get_site(ports.db, site_id)
    if site["uninstalled_at"] is not None:
        raise Refused(f"Signalbox was uninstalled from {site_id}: install it there again.")
    tracker = ports.tracker(site)
    if not site["account_id"]:
        installs.learn_account(ports.db, site_id, tracker.myself().id)
        site = sites.get_site(ports.db, site_id)
    return site, tracker


def find_run(site_id: str, issue_id: str, number: int) -> tuple[RunRef, Row, Row]:
    row = runs.get(parts().db, site_id, issue_id, number)
    project = sites.get_project(parts().db, site_id, row["project_key"])
    if project is None:
        raise Refused(f"project {row['project_key']} was removed")
    return RunRef(site_id, issue_id, row["key"], number), row, project


def agent_of(row: Row) -> reporting.Agent:
    agent = parts().agents.get(row["agent"])
    if agent is None:
        return reporting.Agent(row["agent"], row["simulated"], gated=False)
    return reporting.Agent(agent.title, agent.simulated, agent.needs_gate)


def _weather(fault: BaseException) -> bool:
    """Worth another try at once? Long waits are not held out in a worker's slot."""
    if isinstance(fault, RateLimited):
        return fault.after <= SHORT_WAIT
    return isinstance(fault, (Transient, *DatabaseAway))


async def _weather_async(fault: BaseException) -> bool:
    """The same in a run, which has its slot and cannot give it back: it waits as it is told."""
    if isinstance(fault, RateLimited):
        await asyncio.sleep(min(fault.after, LONGEST_WAIT))
    return isinstance(fault, (Transient, *DatabaseAway))


_again: dict[str, Any] = {"retries_allowed": True, "interval_seconds": 0.5, "backoff_rate": 2.0}
# 0.5 s, 1 s, 2 s; then the deliveries go back to wait their turn (give_back).
PATIENT = _again | {"max_attempts": 4, "should_retry": _weather}
# 0.5 s, 1 s … about four minutes in all.
PATIENT_ASYNC = _again | {"max_attempts": 9, "should_retry": _weather_async}


def fault_of(fault: Exception) -> str:
    """What broke, in one line. "weather" stands for: the far side or the database was away."""
    waits = (engine_error.DBOSMaxStepRetriesExceeded, Transient, *DatabaseAway)
    if isinstance(fault, waits):
        return "weather"
    return str(fault)[:500] if isinstance(fault, PortError) else repr(fault)[:500]
