"""The money of a start: what it will probably cost, and why there is no room for it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any
from zoneinfo import ZoneInfo

from app.core.eligibility import Dear, Reason
from app.core.forecast import Forecast, forecast
from app.core.forecast import told as words
from app.core.money import show
from app.core.shortage import no_room as told
from app.core.ticket import Ticket
from app.ports import CodingAgent
from app.store import costs
from app.store.database import Database
from app.store.ledger import NoRoom
from app.store.sites import Row


def foreseen(db: Database, agent: CodingAgent, project: Row, ticket: Ticket) -> dict[str, Any]:
    """The columns `size` and `forecast` of a run: kept as they are now, so that one can tell
    later how good it was."""
    size = len(ticket.summary) + len(ticket.description.plain())
    like = costs.like(db, project["site_id"], ticket.id, agent.name, simulated=agent.simulated)
    return {"size": size, "forecast": asdict(forecast(like, project["key"], size))}


def dear(
    db: Database, agent: CodingAgent | None, site: Row, project: Row, ticket: Ticket
) -> Dear | None:
    """Whether it may cost more than may start in this project without approval."""
    above = project["approve_above"]
    if above is None or agent is None:
        return None
    found = Forecast(**foreseen(db, agent, project, ticket)["forecast"])
    return Dear(words(found), show(above, site["currency"])) if found.p90 > above else None


def no_room(room: NoRoom, site: Row) -> Reason:
    return told(room, site["currency"], ZoneInfo(site["zone"]))
