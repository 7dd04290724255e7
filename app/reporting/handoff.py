"""The end of a run: the ending as we saw it, and the pull request where there is one to open."""

from __future__ import annotations

from typing import Any

from app.core.run import DRIFTED, Ending, RunRef, final_ending
from app.ports import CodeHost, NotFound, Tracker
from app.store import runs
from app.store.database import Database


def hand_over(
    db: Database, tracker: Tracker, code_host: CodeHost, ref: RunRef, kept: dict[str, Any]
) -> dict[str, Any]:
    """What `runs.finish` writes: ending, cause, commit, pull request. Safe to repeat."""
    row = runs.get(db, ref.site_id, ref.issue_id, ref.number)
    try:
        same = tracker.ticket(ref.issue_id).spec_hash() == row["spec_hash"]
    except NotFound:
        same = False
    ending = final_ending(Ending(kept["ending"] or Ending.FAILED), row["stop_why"], same)
    # Its own cause where nobody ended it; None: the last attempt's.
    own = kept["cause"] if ending == kept["ending"] else DRIFTED
    cause = row["stop_why"] or own
    pull_request = None
    if ending is Ending.SUCCEEDED and kept["commit"]:
        title = f"{ref.key}: {row['spec']['summary'][:120]}"
        body = f"Run {ref.number} on ticket {ref.key}. Acceptance: see the ticket's comment."
        pull_request = code_host.hand_over(
            row["repository"], row["base_branch"], ref.branch, title, body
        )
    return {
        "ending": ending.value,
        "cause": cause,
        "commit": kept["commit"],
        "change": kept["change"],
        "pull_request": pull_request,
        **({"step": 5} if ending is Ending.SUCCEEDED else {}),  # else it stays where it was
    }
