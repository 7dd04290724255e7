"""What `signalbox mcp` says of a ticket and of a budget: read from this installation's database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from app.admin.setup import TICKET_KEY, project_key
from app.cli import show
from app.cli.faults import Mistake
from app.cli.mcp_answers import Budget, BudgetLeft, Reason, Run, TicketStatus
from app.cli.place import chosen_site, opened
from app.store import runs, sites, spending, tickets


def ticket_status(key: str, site: str | None) -> TicketStatus:
    """Raises Mistake, and what opening an installation raises."""
    name = key.strip().upper()
    if not TICKET_KEY.fullmatch(name):
        raise Mistake(f"{key[:80]!r} is no key of a ticket: write it like BILL-231.")
    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = tickets.by_key(desk.db, site_id, name)
        if row is None:
            raise Mistake(
                f"Signalbox has not met {name} on {site_id}: set its label in Jira, or judge its "
                "text with score_spec."
            )
        money = spending.ticket_cost(desk.db, site_id, row["issue_id"])
        listed = runs.of_ticket(desk.db, site_id, row["issue_id"])
        decision = row["decision"] or {}
        return TicketStatus(
            site=site_id,
            key=name,
            verdict=row["verdict"],
            score=row["score"],
            assessed_at=_moment(row["assessed_at"]),
            decision=decision.get("decision"),
            reasons=[
                Reason(code=each["code"], text=each["text"], next=each["next"])
                for each in decision.get("reasons", ())
            ],
            runs=[_run(each) for each in listed],
            spent=show.amount(money.posted),
            set_aside=show.amount(money.held),
            currency=sites.get_site(desk.db, site_id)["currency"],
        )


def _run(row: Any) -> Run:
    state = row["ending"] or "running"
    return Run(number=row["number"], state=state, pull_request=row["pull_request"] or "")


def budget_left(project: str, site: str | None) -> BudgetLeft:
    """Raises Mistake, Invalid, and what opening an installation raises."""
    key = project_key(project)
    with opened() as desk:
        site_id = chosen_site(desk, site)
        if sites.get_project(desk.db, site_id, key) is None:
            raise Mistake(f"There is no project {key} in {site_id}: `signalbox project list`.")
        mine = {("site", site_id), ("project", key)}
        present = spending.balances(desk.db, site_id, desk.now)
        found = [each for each in present if (each.kind, each.subject) in mine]
        free = min((each.free for each in found if each.free is not None), default=0)
        return BudgetLeft(
            site=site_id,
            project=key,
            currency=sites.get_site(desk.db, site_id)["currency"],
            free=show.amount(free),
            budgets=[_budget(each) for each in found],
        )


def _budget(line: spending.Balance) -> Budget:
    return Budget(
        level=line.kind,
        subject=line.subject,
        period=line.period,
        limit=show.amount(line.limit),
        spent=show.amount(line.posted),
        set_aside=show.amount(line.held),
        free=show.amount(line.free),
        next_reset=_moment(line.resets_at),
    )


def _moment(value: datetime | None) -> str | None:
    if value is None:
        return None
    return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
