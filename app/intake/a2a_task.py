"""A task as the agent connector sees it: computed from our records whenever somebody asks."""

from __future__ import annotations

import json
from typing import Any

from a2a.types.a2a_pb2 import Artifact, Message, Part, Role, Task, TaskState, TaskStatus
from google.protobuf.json_format import ParseDict
from google.protobuf.struct_pb2 import Value

from app.core.money import show
from app.core.run import Ending, RunRef
from app.core.task_state import FINAL, Asked, RunSeen, State, Status, run_of, task_status
from app.store import sites, spending, tasks
from app.store.database import Database
from app.store.sites import Row

OVER = frozenset(
    TaskState.Value(f"TASK_STATE_{state.name}") for state in (*FINAL, State.INPUT_REQUIRED)
)
"""States in which nothing more happens by itself."""


def read_task(db: Database, site: Row, task_id: str) -> Task | None:
    """None where this site has no such task, whoever else may have it."""
    found = tasks.find(db, site["id"], task_id)
    if found is None:
        return None
    told = found.delivery
    asked = _asked(found)
    run = run_of(asked, [_seen(row) for row in found.runs])
    row = next((r for r in found.runs if run is not None and r["number"] == run.number), None)
    status = task_status(asked, run)
    task = Task(id=task_id, context_id=_context(told["body"]) or task_id)
    task.status.CopyFrom(_status(task, status, found, row))
    if row is not None and status.state is State.COMPLETED:
        task.artifacts.append(_result(db, site, row))
    return task


def _asked(found: tasks.Found) -> Asked:
    told, ticket = found.delivery, found.ticket
    return Asked(
        kind=told["kind"],
        received_at=told["received_at"],
        relayed=told["relayed_at"] is not None,
        outcome=told["outcome"],
        reason=told["reason"],
        decision=(ticket["decision"] if ticket is not None else None) or {},
        verdict=ticket["verdict"] if ticket is not None else None,
    )


def _seen(row: Row) -> RunSeen:
    return RunSeen(row["number"], row["ended_at"], Ending(row["ending"]) if row["ending"] else None)


def _status(task: Task, status: Status, found: tasks.Found, run: Row | None) -> TaskStatus:
    """With the time of what it tells, so that it only changes when something has happened."""
    told, ticket = found.delivery, found.ticket
    judged = ticket["assessed_at"] if ticket is not None and told["outcome"] == "handled" else None
    when = (run["ended_at"] or run["created_at"]) if run is not None else judged
    made = TaskStatus(state=TaskState.Value(f"TASK_STATE_{status.state.name}"))
    made.timestamp.FromDatetime((when or told["received_at"]).replace(tzinfo=None))
    number = f"{task.id}-{status.state}"
    made.message.CopyFrom(say(status.text, number, task.context_id, task.id))
    return made


def say(text: str, number: str, context_id: str, task_id: str = "") -> Message:
    """A message of ours."""
    return Message(
        message_id=number,
        context_id=context_id,
        task_id=task_id,
        role=Role.ROLE_AGENT,
        parts=[Part(text=text)],
    )


def _result(db: Database, site: Row, run: Row) -> Artifact:
    """The branch or pull request, and the cost where the project lets us name it."""
    ref = RunRef(run["site_id"], run["issue_id"], run["key"], run["number"])
    facts: dict[str, Any] = {"branch": ref.branch, "simulated": run["simulated"]}
    lines = [f"Branch {ref.branch}"]
    if run["pull_request"]:
        facts["pullRequest"] = run["pull_request"]
        lines = [f"Pull request {run['pull_request']}"]
    project = sites.get_project(db, site["id"], run["project_key"])
    if project is not None and project["costs_in_comments"]:
        spent = spending.run_money(db, ref.site_id, ref.issue_id, ref.number).posted
        facts |= {"costMicro": str(spent), "currency": site["currency"]}
        lines.append(
            f"{show(spent, site['currency'])} spent" + " (simulated)" * bool(run["simulated"])
        )
    return Artifact(
        artifact_id=f"run-{ref.number}",
        name=f"Result of run {ref.number}",
        parts=[Part(text=" · ".join(lines)), Part(data=ParseDict(facts, Value()))],
    )


def _context(body: bytes | None) -> str:
    """The conversation that Jira named; forgotten with the body after a while."""
    try:
        context = json.loads(body or b"{}")["params"]["message"]["contextId"]
    except (ValueError, KeyError, TypeError):
        return ""
    return context if isinstance(context, str) else ""
