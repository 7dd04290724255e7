"""The journey of a ticket, as durable workflows. A table of contents: no rule stands here.

Order, number and names of steps are recorded in the database: change them only behind a patch
(docs/decisions/0012-flow-version.md).
"""

from __future__ import annotations

from typing import Any

from dbos import DBOS

from app.core.run import Ending
from app.engine import run_steps, steps
from app.engine.binding import fault_of

FLOW_VERSION = "1"


@DBOS.workflow(name="assess_ticket")
def assess_ticket(site_id: str, issue_id: str, gen: int) -> str:
    """Label, edit, wish or wake → judged, decided, told."""
    me = str(DBOS.workflow_id)
    try:
        seen = steps.assess(site_id, issue_id, gen)
        if seen["outcome"] == "handled":
            if seen["judge"]:
                steps.judge(site_id, issue_id, seen["spec_hash"])
            steps.admit(site_id, issue_id, seen["spec_hash"])
            steps.tell(site_id, issue_id, seen["spec_hash"], gen)
            steps.catch_up(site_id, issue_id)
        steps.settle(me, seen["outcome"], seen["reason"])
        return str(seen["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, fault_of(fault), gen)


@DBOS.workflow(name="obey_comment")
def obey_comment(site_id: str, issue_id: str, comment_id: str) -> str:
    """A comment → a command, obeyed by right, answered once."""
    me = str(DBOS.workflow_id)
    try:
        done = steps.obey(site_id, issue_id, comment_id)
        steps.settle(me, done["outcome"], done["reason"])
        return str(done["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, fault_of(fault))


@DBOS.workflow(name="obey_press")
def obey_press(site_id: str, subject: str, delivery: int) -> str:
    """A button that was pressed → the same as the command in a comment."""
    me = str(DBOS.workflow_id)
    try:
        done = steps.press(site_id, subject, delivery)
        steps.settle(me, done["outcome"], done["reason"])
        return str(done["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, subject, fault_of(fault))


@DBOS.workflow(name="tell_storm")
def tell_storm(site_id: str, issue_id: str, delivery: int) -> str:
    """More labels at once than anybody can have thought of → one notice."""
    me = str(DBOS.workflow_id)
    try:
        steps.notify(site_id, delivery)
        steps.settle(me, "handled", "")
        return "handled"
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, fault_of(fault))


@DBOS.workflow(name="find_ticket")
def find_ticket(site_id: str, key: str, delivery: int) -> str:
    """A delivery that names its ticket by key alone → the same delivery, with the ticket's id."""
    me = str(DBOS.workflow_id)
    try:
        found = steps.find(site_id, key, delivery)
        if found["outcome"] != "found":
            steps.settle(me, found["outcome"], found["reason"])
        return str(found["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, key, fault_of(fault))


@DBOS.workflow(name="find_mention")
def find_mention(site_id: str, issue_id: str, delivery: int) -> str:
    """A mention that names no comment → the same delivery, with the comment that meant us."""
    me = str(DBOS.workflow_id)
    try:
        found = steps.hear(site_id, issue_id, delivery)
        if found["outcome"] != "found":
            steps.settle(me, found["outcome"], found["reason"])
        return str(found["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, fault_of(fault))


@DBOS.workflow(name="cancel_task")
def cancel_task(site_id: str, issue_id: str, delivery: int) -> str:
    """A task that a person cancels in Jira → its run is stopped, by right."""
    me = str(DBOS.workflow_id)
    try:
        done = steps.cancel(site_id, issue_id, delivery)
        steps.settle(me, done["outcome"], done["reason"])
        return str(done["outcome"])
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        return steps.give_back(me, site_id, issue_id, fault_of(fault))


@DBOS.workflow(name="run_ticket")
async def run_ticket(site_id: str, issue_id: str, number: int) -> str:
    """A claimed ticket → workspace, attempts, evidence, branch, end."""
    run = (site_id, issue_id, number)
    last: dict[str, Any]
    try:
        made = await run_steps.prepare(*run)
        await run_steps.report(*run, "start")
        last, attempts, n = made, made["attempts"], 0
        while n < attempts and (last["ending"] is None or run_steps.worth_another(last)):
            n += 1
            if n > 1 and not (await run_steps.reserve(*run, n))["granted"]:
                break
            last = await run_steps.attempt(*run, n)
            if last["ending"] == Ending.SUCCEEDED:
                await run_steps.report(*run, f"check {n}")
                last = await run_steps.observe(*run, n)
            if last["ending"] == Ending.INTERRUPTED:
                attempts = min(attempts + 1, made["attempts"] + run_steps.MOST_INTERRUPTIONS)
        kept = await run_steps.keep(*run, last)
        handed = await run_steps.hand_over(*run, kept)
    except Exception as fault:  # noqa: BLE001 - whatever it is ends in a named outcome
        handed = await run_steps.give_up(*run, fault_of(fault))
    ending = await run_steps.finish(*run, handed)
    await run_steps.clean(*run)
    return ending


@DBOS.workflow(name="tell_result")
def tell_result(site_id: str, issue_id: str, number: int) -> None:
    """A run that has ended → its last edit and its result, in the ticket."""
    try:
        steps.tell_result(site_id, issue_id, number)
    except Exception as fault:  # noqa: BLE001 - the sweep tells it later
        steps.leave_untold(site_id, issue_id, number, fault_of(fault))
