"""Why money could not be set aside: with the numbers, and who can lift it."""

from __future__ import annotations

from datetime import datetime, tzinfo
from typing import Protocol

from app.core.eligibility import Reason
from app.core.money import show

LEVELS = {
    "site": "Site budget",
    "project": "Project budget",
    "person": "Budget of the person who asked for it",
    "ticket": "Ticket budget",
    "agent": "Budget of this kind of agent",
}


class Shortage(Protocol):
    """What the ledger says where it sets nothing aside. reason: budget | no_limit | overrun."""

    @property
    def kind(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def limit(self) -> int | None: ...
    @property
    def posted(self) -> int: ...
    @property
    def held(self) -> int: ...
    @property
    def needed(self) -> int: ...
    @property
    def resets_at(self) -> datetime | None: ...


def no_room(room: Shortage, currency: str, zone: tzinfo) -> Reason:
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
    free, until = max(0, room.limit - room.posted - room.held), ""
    if room.resets_at is not None:
        until = f" until {room.resets_at.astimezone(zone):%-d %b}"
    text = (
        f"{name}: this needs {show(room.needed, currency)} set aside, "
        f"{show(free, currency)} is free{until}."
    )
    plain = f"{name}: what is free{until} is too little for this."
    return Reason("budget", text, "A project admin can raise it: signalbox budget set.", plain)
