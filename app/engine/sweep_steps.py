"""The durable steps of the sweeps: what was missed is found, what is old is erased."""

from __future__ import annotations

from datetime import datetime, timedelta

import structlog
from dbos import DBOS

from app.core.connection import KINDS
from app.core.eligibility import OUTSIDE
from app.core.polling import due
from app.core.run import Ending, RunRef
from app.engine.binding import GIVEN_UP, bound, parts, tracker_of
from app.intake.poll import poll as poll_site
from app.ports import PortError
from app.store import inbox, runs, sites, tickets

log = structlog.get_logger()


@DBOS.step()
def wake_deferred() -> int:
    """A wake for each ticket that waits for something nobody tells us of."""
    return tickets.wake_waiting(parts().db, OUTSIDE, parts().clock.now())


@DBOS.step()
def tell_untold() -> int:
    """Results that did not reach their ticket within minutes."""
    ports, enqueue, _ = bound()
    now = ports.clock.now()
    return runs.tell_again(ports.db, enqueue, now - timedelta(minutes=5), now)


@DBOS.step()
def reconcile() -> int:
    """End runs whose workflow is no more: the claim and the money must not outlive it."""
    ports, enqueue, _ = bound()
    ended = 0
    for row in runs.active(ports.db):
        ref = RunRef(row["site_id"], row["issue_id"], row["key"], row["number"])
        found = DBOS.list_workflows(workflow_ids=[ref.workflow_id], load_input=False)
        if found and found[0].status in ("PENDING", "ENQUEUED", "DELAYED"):
            continue
        log.error("a run has lost its workflow", run=ref.workflow_id)
        broken = {"ending": Ending.FAILED.value, "cause": GIVEN_UP["lost"]}
        runs.finish(ports.db, ref, broken, enqueue, ports.clock.now())
        ended += 1
    return ended


@DBOS.step()
def due_sites() -> list[str]:
    """Sites that are to be asked for what changed."""
    now = parts().clock.now()
    return [
        row["id"]
        for row in sites.list_sites(parts().db)
        if row["uninstalled_at"] is None
        and due(_polled(row), now, door=KINDS[row["connection"]].door != "none")
    ]


def _polled(site: sites.Row) -> datetime:
    found: datetime = site["polled_at"] or site["connected_at"]
    return found


@DBOS.step()
def poll(site_id: str) -> int:
    """A Jira that does not answer is asked again the next time, from where we were."""
    try:
        site, tracker = tracker_of(site_id)
        return poll_site(parts().db, tracker, site, parts().clock.now())
    except (PortError, sites.Unknown) as fault:
        log.warning("a site could not be polled", site=site_id, fault=str(fault))
        return 0


@DBOS.step()
def erase_texts(before: str) -> None:
    """Copies of what people and agents wrote."""
    inbox.erase_bodies(parts().db, datetime.fromisoformat(before))
    runs.erase_texts(parts().db, datetime.fromisoformat(before))


@DBOS.step()
def delete_workflows(before: str, names: list[str]) -> int:
    """Ended workflows of these names, a few hundred at a time."""
    deleted = 0
    while ended := DBOS.list_workflows(
        status=["SUCCESS", "ERROR", "CANCELLED"],
        name=names,
        completed_before=before,
        limit=500,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([flow.workflow_id for flow in ended])
        deleted += len(ended)
    return deleted
