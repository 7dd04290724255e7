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
from app.execution.workspace import remove_workspace
from app.intake.poll import poll as poll_site
from app.ports import PortError
from app.reporting import alert
from app.store import (
    corrections,
    inbox,
    judgements,
    people,
    refold,
    runs,
    sites,
    spending,
    tickets,
)
from app.store.database import Database

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
    """What has lost its workflow: a run is ended, as the claim and the money must not outlive it;
    deliveries are relayed once more. A judge's call that nobody ended takes its money, and a hold
    that nobody is left for expires."""
    ports, enqueue, _ = bound()
    lost = judgements.close_lost(ports.db, ports.clock.now())
    for row in runs.active(ports.db):
        ref = RunRef(row["site_id"], row["issue_id"], row["key"], row["number"])
        if _goes_on(ref.workflow_id):
            continue
        log.error("a run has lost its workflow", run=ref.workflow_id)
        broken = {"ending": Ending.FAILED.value, "cause": GIVEN_UP["lost"]}
        runs.finish(ports.db, ref, broken, enqueue, ports.clock.now())
        lost += 1
    for workflow_id in inbox.under_way(ports.db):
        if _goes_on(workflow_id):
            continue
        # Where it has just settled them, there is none left to put back.
        if inbox.put_back(ports.db, workflow_id, ports.clock.now()):
            log.error("deliveries have lost their workflow", workflow=workflow_id)
            lost += 1
    return lost + _expire_holds(ports.db, ports.clock.now())


def _expire_holds(db: Database, now: datetime) -> int:
    """Whose time is over: extended where its workflow goes on or is not known, else ended at all
    of it, as nobody can tell what was used."""
    expired = 0
    for each in spending.overdue(db, now):
        ended = corrections.expire(
            db,
            site_id=each.site_id,
            hold_id=each.id,
            dead=bool(each.holder) and not _goes_on(each.holder),
            actual=None,
            again_at=now + timedelta(hours=1),
            actor="signalbox",
            now=now,
        )
        if ended is not None and not ended.again:
            log.error("a hold has expired", hold=each.id, amount=each.amount)
            expired += 1
    return expired


@DBOS.step()
def check_ledger() -> int:
    """Fold every site's journal once more and compare; told where it differs, never repaired. How
    many sites differ."""
    db, differ = parts().db, 0
    for row in sites.list_sites(db):
        found = refold.refold(db, row["id"])
        refold.write_down(db, row["id"], found, parts().clock.now())
        if found.equal:
            continue
        differ += 1
        log.error("the ledger does not add up", site=row["id"], differences=found.differences[:9])
        try:
            site, tracker = tracker_of(row["id"])
            alert.warn_of_difference(db, tracker, site, found.differences, parts().clock.now())
        except PortError as fault:
            log.warning("an alert was not told", site=row["id"], fault=str(fault))
    return differ


def _goes_on(workflow_id: str) -> bool:
    found = DBOS.list_workflows(workflow_ids=[workflow_id], load_input=False, load_output=False)
    return bool(found) and found[0].status in ("PENDING", "ENQUEUED", "DELAYED")


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
def warn_of_expiry() -> None:
    """Sites whose token ends soon. One that cannot be told is told the next day."""
    for row in sites.list_sites(parts().db):
        if KINDS[row["connection"]].handed or row["uninstalled_at"] is not None:
            continue
        try:
            site, tracker = tracker_of(row["id"])
            alert.warn_of_expiry(parts().db, tracker, site, parts().clock.now())
        except PortError as fault:
            log.warning("an alert was not told", site=row["id"], fault=str(fault))


@DBOS.step()
def report_people() -> int:
    """Atlassian hears from apps whose account ids they keep; those of closed accounts are erased.
    A site that cannot be reported is reported the next time."""
    erased = 0
    for row in sites.list_sites(parts().db):
        if not KINDS[row["connection"]].handed or row["uninstalled_at"] is not None:
            continue
        try:
            _, tracker = tracker_of(row["id"])
            for account_id in tracker.report_accounts(people.accounts(parts().db, row["id"])):
                people.erase(parts().db, row["id"], account_id)
                erased += 1
        except (PortError, sites.Unknown) as fault:
            log.warning("accounts were not reported", site=row["id"], fault=str(fault))
    return erased


@DBOS.step()
def erase_texts(before: str) -> None:
    """Copies of what people and agents wrote."""
    inbox.erase_bodies(parts().db, datetime.fromisoformat(before))
    runs.erase_texts(parts().db, datetime.fromisoformat(before))
    judgements.erase(parts().db, datetime.fromisoformat(before))


@DBOS.step()
def remove_workspaces(before: str) -> int:
    """What runs left on this machine: work that could not be pushed, or whose workflow was lost.
    A run that nobody knows any more left it before its site was removed."""
    since, removed = datetime.fromisoformat(before), 0
    for directory in sorted((parts().data / "runs").glob("*/*-*")):
        issue_id, _, number = directory.name.rpartition("-")
        rows = runs.of_ticket(parts().db, directory.parent.name, issue_id)
        known = [row["ended_at"] for row in rows if str(row["number"]) == number]
        if any(ended is None or ended >= since for ended in known):
            continue
        remove_workspace(directory)
        removed += 1
    return removed


@DBOS.step()
def delete_workflows(before: str, names: list[str]) -> int:
    """Ended workflows of these names, a few hundred at a time."""
    deleted = 0
    while ended := DBOS.list_workflows(
        status=["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"],
        name=names,
        completed_before=before,
        limit=500,
        load_input=False,
        load_output=False,
    ):
        DBOS.delete_workflows([flow.workflow_id for flow in ended])
        deleted += len(ended)
    return deleted
