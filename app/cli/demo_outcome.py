"""What there is when the story has ended, as one JSON object: nothing in it is told from memory."""

from __future__ import annotations

from typing import Any

from app.cli.demo_stage import SITE, Stage
from app.core.adf import from_adf
from app.core.money import MICRO
from app.core.plain import render
from app.core.run import RunRef
from app.store import inbox, runs, spending, tickets

Result = dict[str, Any]


def outcome(on: Stage, seconds: float) -> Result:
    """Comments as the sandbox Jira holds them; the rest from ledger, runs and deliveries."""
    totals = spending.totals(on.db)
    counts = inbox.counts(on.db)
    return {
        "tickets": [_ticket(on, key) for key in on.keys.values()],
        "ledger": {
            "held": totals["held"] / MICRO,
            "posted": totals["posted"] / MICRO,
            "open_holds": totals["open_holds"],
        },
        "deliveries": {
            "received": sum(counts.values()),
            "handled": counts.get("handled", 0),
            "ignored": counts.get("ignored", 0),
        },
        "seconds": round(seconds, 2),
    }


def _ticket(on: Stage, key: str) -> Result:
    row = tickets.by_key(on.db, SITE, key)
    done = runs.of_ticket(on.db, SITE, row["issue_id"]) if row is not None else []
    return {
        "key": key,
        "score": row["score"] if row is not None else None,
        "verdict": row["verdict"] if row is not None else None,
        "comments": _comments(on, key),
        "runs": [_run(on, run) for run in done],
    }


def _comments(on: Stage, key: str) -> list[str]:
    return [render(from_adf(comment.body.adf()).blocks) for comment in on.jira.comments(key)]


def _run(on: Stage, run: Any) -> Result:
    ref = RunRef(SITE, run["issue_id"], run["key"], run["number"])
    money = spending.run_money(on.db, SITE, ref.issue_id, ref.number)
    return {
        "state": run["ending"] or "Running",
        "attempts": len(runs.attempts(on.db, ref)),
        "cost_usd": money.posted / MICRO,
        "simulated": run["simulated"],
        "branch": ref.branch,
        "commit": run["commit"],
        "acceptance": run["acceptance"],
    }
