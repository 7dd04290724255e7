"""The journey of a ticket, as durable workflows. A table of contents: no rule stands here.

Order, number and names of steps are recorded in the database: change them only behind a patch
(docs/decisions/0002-flow-version.md).
"""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from app.core.run import Ending
from app.engine import steps

FLOW_VERSION = "1"


@DBOS.workflow(name="assess_ticket")
def assess_ticket(site_id: str, issue_id: str, gen: int) -> str:
    """Label, edit, wish or wake → judged, decided, told."""
    me = str(DBOS.workflow_id)
    try:
        seen = steps.assess(site_id, issue_id, gen)
        if seen["outcome"] == "handled":
            steps.admit(site_id, issue_id, seen["spec_hash"])
            steps.tell(site_id, issue_id, seen["spec_hash"], gen)
        steps.settle(me, seen["outcome"], seen["reason"])
        return str(seen["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, steps.fault_of(fault))


@DBOS.workflow(name="obey_comment")
def obey_comment(site_id: str, issue_id: str, comment_id: str, version: str) -> str:
    """A comment → a command, obeyed by right, answered once."""
    me = str(DBOS.workflow_id)
    try:
        done = steps.obey(site_id, issue_id, comment_id)
        steps.settle(me, done["outcome"], done["reason"])
        return str(done["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, steps.fault_of(fault))


@DBOS.workflow(name="run_ticket")
async def run_ticket(site_id: str, issue_id: str, number: int) -> str:
    """A claimed ticket → workspace, attempts, evidence, branch, report."""
    run = (site_id, issue_id, number)
    last: dict[str, Any]
    try:
        made = await steps.prepare(*run)
        await steps.report(*run, "start")
        last, attempts, n = made, made["attempts"], 0
        while n < attempts and (last["ending"] is None or steps.worth_another(last)):
            n += 1
            if n > 1 and not (await steps.reserve(*run, n))["granted"]:
                break
            last = await steps.attempt(*run, n)
            if last["ending"] == Ending.SUCCEEDED:
                await steps.report(*run, f"check {n}")
                last = await steps.observe(*run, n)
            if last["ending"] == Ending.INTERRUPTED:
                attempts = min(attempts + 1, made["attempts"] + steps.MOST_INTERRUPTIONS)
        kept = await steps.keep(*run, last)
        handed = await steps.hand_over(*run, kept)
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        handed = await steps.give_up(*run, steps.fault_of(fault))
    ending = await steps.finish(*run, handed)
    await steps.clean(*run)
    await steps.report_end(*run)
    return ending
