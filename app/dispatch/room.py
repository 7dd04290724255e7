"""The money of a start: what it will probably cost, and why there is no room for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from app.core.eligibility import Reason
from app.core.forecast import forecast
from app.core.money import show
from app.core.ticket import Ticket
from app.ports import CodingAgent
from app.store import costs
from app.store.database import Database
from app.store.ledger import NoRoom
from app.store.sites import Row

LEVELS = {
    "site": "Site budget",
    "project": "Project budget",
    "person": "Budget of the person who asked for it",
    "ticket": "Ticket budget",
    "agent": "Budget of this kind of agent",
}


def foreseen(db: Database, agent: CodingAgent, project: Row, ticket: Ticket) -> dict[str, Any]:
    """The columns `size` and `forecast` of a run: kept as they are now, so that one can tell
    later how good it was."""
    size = len(ticket.summary) + len(ticket.description.plain())
    like = costs.like(db, project["site_id"], ticket.id, agent.name, simulated=agent.simulated)
    return {"size": size, "forecast": asdict(forecast(like, project["key"], size))}


def no_room(room: NoRoom, site: Row) -> Reason:
    """In the words of somebody who has to explain it to the author of the ticket."""
    name = LEVELS[room.kind]
    if room.reason == "overrun":
        return Reason(
            "overrun",
            "An attempt in this project cost more than was set aside for it.",
            "An admin confirms that it was seen by setting the budget again: signalbox budget set.",
        )
    if room.limit is None:
        return Reason(
            "no_budget",
            "No budget is set for this project or its site, so nothing may be spent.",
            "An admin sets one: signalbox budget set.",
        )
    free = max(0, room.limit - room.posted - room.held)
    currency, until = site["currency"], ""
    if room.resets_at is not None:
        until = f" until {room.resets_at.astimezone(ZoneInfo(site['zone'])):%-d %b}"
    text = (
        f"{name}: this needs {show(room.needed, currency)} set aside, "
        f"{show(free, currency)} is free{until}."
    )
    plain = f"{name}: what is free{until} is too little for this."
    return Reason("budget", text, "A project admin can raise it: signalbox budget set.", plain)
