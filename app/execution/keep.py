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

Run {number} of Signalbox with {agent}; ended as {ending}.
"""


def keep(db: Database, ref: RunRef, directory: Path, last: dict[str, Any]) -> dict[str, Any]:
    """{"ending", "cause", "commit"}: the attempt's ending and the pushed commit with
    its change in one line; None where nothing was changed. The same again gives the same commit, and pushes nothing twice."""
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    kept = {"ending": last["ending"], "cause": last["cause"], "commit": None, "change": ""}
    workspace = open_workspace(directory)
    if workspace is None:
        return kept
    message = MESSAGE.format(
        key=ref.key,
        summary=row["spec"]["summary"][:120],
        number=ref.number,
        agent=row["agent"] + (" (simulated)" if row["simulated"] else ""),
        ending=last["ending"],
    )
    commit = commit_work(workspace, message, row["created_at"])
    if commit is None:
        return kept
    try:
        push(workspace, row["repository"], commit)
    except Refused as fault:
        return {**kept, "ending": Ending.FAILED, "cause": str(fault)}
    return {**kept, "commit": commit, "change": _told(diff_summary(workspace, commit))}


def _told(diff: DiffSummary) -> str:
    """One line for people, by us and from the commit itself."""
    files = f"{len(diff.files)} file{'' if len(diff.files) == 1 else 's'}"
    names = ", ".join(change.path for change in diff.files[:3])
    more = ", …" if len(diff.files) > 3 else ""
    told = f"{files} changed (+{diff.added} -{diff.removed}): {names}{more}"
    return told + (f". Look closely: {'; '.join(diff.flags[:3])}" if diff.flags else "")
