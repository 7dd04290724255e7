"""The agent's work becomes our commit on the run's branch, however the run ended."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from app.core.run import Ending, RunRef
from app.execution.changes import DiffSummary, diff_summary
from app.execution.commit import commit_work, push
from app.execution.workspace import open_workspace
from app.ports import Refused
from app.store import runs
from app.store.database import Database

MESSAGE = """{key}: {summary}

Run {number} of Signalbox with {agent}.
"""


def commit(db: Database, ref: RunRef, directory: Path) -> str | None:
    """Our commit of the agent's tree as it is now; None where nothing was changed, or there is no
    tree. The same files give the same commit, however often it is made."""
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    workspace = open_workspace(directory)
    if workspace is None:
        return None
    agent = row["agent"] + (" (simulated)" if row["simulated"] else "")
    summary = row["spec"]["summary"][:120]
    message = MESSAGE.format(key=ref.key, summary=summary, number=ref.number, agent=agent)
    return commit_work(workspace, message, row["created_at"])


def keep(db: Database, ref: RunRef, directory: Path, last: dict[str, Any]) -> dict[str, Any]:
    """{"ending", "cause", "commit", "change"}: the work is pushed to the run's branch, as it was
    when it was checked, or as it is where it never came to a check. Nothing is pushed twice."""
    made = last.get("commit") or commit(db, ref, directory)
    kept = {"ending": last["ending"], "cause": last.get("cause"), "commit": None, "change": ""}
    workspace = open_workspace(directory)
    if workspace is None or made is None:
        return kept
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    try:
        push(workspace, row["repository"], made)
    except Refused as fault:
        return {**kept, "ending": Ending.FAILED.value, "cause": str(fault)}
    return {**kept, "commit": made, "change": _told(diff_summary(workspace, made))}


def _told(diff: DiffSummary) -> str:
    """One line for people, by us and from the commit itself."""
    files = f"{len(diff.files)} file{'' if len(diff.files) == 1 else 's'}"
    names = ", ".join(change.path for change in diff.files[:3])
    more = ", …" if len(diff.files) > 3 else ""
    told = f"{files} changed (+{diff.added} -{diff.removed}): {names}{more}"
    return told + (f". Look closely: {'; '.join(diff.flags[:3])}" if diff.flags else "")
