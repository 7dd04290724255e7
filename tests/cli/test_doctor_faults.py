"""What `doctor` says of sites, projects and the cage: one thing spoiled, one line that names it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from app.adapters.memory import MemoryCodeHost, MemorySecrets, MemoryTracker
from app.adapters.memory_agent import MemoryCage
from app.admin.doctor import Equipment, counted, examine
from app.admin.line import Line
from app.admin.setup import NEW_PROJECT, Desk
from app.ports import Account, Refused, Transient
from app.store import budgets, sites
from app.store.database import Database
from app.store.schema import inbox
from tests.cli.conftest import NOW

sqlite_only = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)


class Room:
    """A site and a project where all is well, to be spoiled in one place."""

    def __init__(self, db: Database) -> None:
        self.db = db
        self.tracker = MemoryTracker()
        self.code_host = MemoryCodeHost()
        self.cage = MemoryCage()
        self.agent = ("", "")
        secrets = MemorySecrets()
        self.site: dict[str, Any] = {
            "id": "acme",
            "deployment": "cloud",
            "api_url": "https://jira",
            "browse_url": "https://jira",
            "email": "a@b",
            "token": secrets.seal("token"),
            "webhook_secret": secrets.seal("secret"),
            "account_id": "signalbox",
            "label": "agent-ready",
            "zone": "UTC",
            "currency": "USD",
            "connected_at": NOW,
        }
        self.project: dict[str, Any] = {
            **NEW_PROJECT,
            "site_id": "acme",
            "key": "BILL",
            "mode": "approve",
            "repository": "/code/billing",
            "acceptance": "make test",
            "connected_at": NOW,
        }
        self.rights = ["approve"]
        self.limits: list[tuple[str, str, str, int | None]] = [("site", "acme", "month", 50)]
        self.desk = Desk(db, secrets, lambda site: self.tracker, NOW)

    def accept_no_cage(self) -> None:
        self.cage.fault = "bubblewrap is not installed."
        self.project["without_cage"] = True

    def look(self) -> list[Line]:
        sites.add_site(self.db, self.site)
        sites.add_project(self.db, self.project)
        for right in self.rights:
            grant = {"site_id": "acme", "project_key": "*", "right": right, "kind": "account"}
            sites.add_grant(self.db, {**grant, "subject": "someone", "granted_at": NOW})
        for kind, subject, period, dollars in self.limits:
            limit = None if dollars is None else dollars * 1_000_000
            budgets.set_limit(self.db, "acme", kind, subject, period, limit, "test", NOW)
        equipment = Equipment(self.code_host, self.cage, lambda name: self.agent)
        return list(examine(self.desk, equipment))


@pytest.fixture
def room(database: Database) -> Room:
    return Room(database)


def test_a_room_where_all_is_well(room: Room) -> None:
    assert {line.state for line in room.look()} == {"ok"}


def test_nothing_is_connected_yet(database: Database) -> None:
    desk = Desk(database, MemorySecrets(), lambda site: MemoryTracker(), NOW)
    equipment = Equipment(MemoryCodeHost(), MemoryCage(), lambda name: ("", ""))
    first, cage = examine(desk, equipment)
    assert first == Line("warn", "Sites", "No site is connected.", "Run `signalbox site add`.")
    assert cage.state == "ok"


Spoil = Callable[[Room], Any]
SITE, PROJECT = "Site acme", "Project acme/BILL"
GRANT = "Run `signalbox role grant {} --site acme --project BILL ...`."
ADD = "Run `signalbox project add --site acme --key BILL ...`."
IN_JIRA = "Give it to Signalbox's account in Jira."
FAULTS: dict[str, tuple[Spoil, Line]] = {
    "no secret": (
        lambda room: room.site.update(webhook_secret=None),
        Line(
            "warn",
            SITE,
            "It has no webhook secret, so the endpoint is closed: it is only polled now and then.",
            "Run `signalbox site add acme --webhook-secret-env NAME`.",
        ),
    ),
    "site paused": (
        lambda room: room.site.update(paused_at=NOW),
        Line("warn", SITE, "It is paused: nothing starts.", "Run `signalbox resume --site acme`."),
    ),
    "jira down": (
        lambda room: room.tracker.calls.fail("myself", Transient("Jira gave no answer.")),
        Line(
            "fault",
            SITE,
            "Jira gave no answer.",
            "Mend it, or run `signalbox site add acme` with a new token.",
        ),
    ),
    "another account": (
        lambda room: setattr(room.tracker, "me", Account("other", "Other", "app")),
        Line(
            "fault",
            SITE,
            "The token now belongs to Other (other): its comments would not be ours.",
            "Run `signalbox site add acme` with our token.",
        ),
    ),
    "project paused": (
        lambda room: room.project.update(paused_at=NOW),
        Line(
            "warn",
            PROJECT,
            "It is paused: nothing starts.",
            "Run `signalbox resume --site acme --project BILL`.",
        ),
    ),
    "project gone": (
        lambda room: room.tracker.calls.fail("rights", Refused("The project is not visible.")),
        Line(
            "fault",
            PROJECT,
            "The project is not visible.",
            "Ask a Jira admin to let Signalbox's account in.",
        ),
    ),
    "no comments": (
        lambda room: room.tracker.missing_rights.add("ADD_COMMENTS"),
        Line(
            "fault",
            PROJECT,
            "Jira right Add Comments is missing: nothing can be said in a ticket.",
            IN_JIRA,
        ),
    ),
    "no roles": (
        lambda room: room.tracker.calls.fail("roles", Refused("It takes Administer Projects.")),
        Line(
            "fault",
            PROJECT,
            "Who set a label cannot be checked, so nothing starts: It takes Administer Projects.",
            "Give that right to Signalbox's account in Jira.",
        ),
    ),
    "nobody dispatches": (
        lambda room: room.rights.clear(),
        Line(
            "fault",
            PROJECT,
            "Nobody holds the right dispatch: nothing starts.",
            GRANT.format("dispatch"),
        ),
    ),
    "nobody approves": (
        lambda room: room.rights.__setitem__(0, "dispatch"),
        Line(
            "fault",
            PROJECT,
            "Nobody holds the right approve: nothing starts.",
            GRANT.format("approve"),
        ),
    ),
    "no budget": (
        lambda room: room.limits.__setitem__(0, ("ticket", "*", "once", 5)),
        Line(
            "fault",
            PROJECT,
            "No budget is set above it: nothing may be spent.",
            "Run `signalbox budget set --site acme --limit AMOUNT`.",
        ),
    ),
    "a budget below the cap": (
        lambda room: room.limits.append(("ticket", "*", "once", 2)),
        Line(
            "fault",
            PROJECT,
            "An attempt takes $3.00, more than the limit of ticket (once) allows.",
            "Raise that limit, or lower --attempt-cap.",
        ),
    ),
    "no repository": (
        lambda room: room.project.update(repository=None),
        Line("fault", PROJECT, "It has no repository: nothing starts.", ADD),
    ),
    "no acceptance": (
        lambda room: room.project.update(acceptance=None),
        Line(
            "fault",
            PROJECT,
            "It has no acceptance command, so nothing could be checked: nothing starts.",
            ADD,
        ),
    ),
    "no branch": (
        lambda room: room.code_host.calls.fail(
            "open_agent_pull_requests", Refused("The repository has no branch 'main'.")
        ),
        Line("fault", PROJECT, "The repository has no branch 'main'.", f"Mend it. Or: {ADD}"),
    ),
    "reviewers are behind": (
        lambda room: [
            room.code_host.hand_over("/code/billing", "main", f"agent/{n}", "", "")
            for n in range(4)
        ],
        Line(
            "warn",
            PROJECT,
            "/code/billing answers and has the branch main; 4 wait for review.",
            "Review them: nothing starts before.",
        ),
    ),
    "no agent": (
        lambda room: setattr(room, "agent", ("It has no key.", "Set it.")),
        Line("fault", PROJECT, "It has no key.", "Set it."),
    ),
    "no cage": (
        lambda room: setattr(room.cage, "fault", "bubblewrap is not installed."),
        Line("fault", "Cage", "bubblewrap is not installed.", "Nothing starts in BILL before."),
    ),
    "no cage wanted": (
        lambda room: room.accept_no_cage(),
        Line(
            "warn",
            "Cage",
            "bubblewrap is not installed. Agents run without a cage.",
            "Install it before agents work on code that matters.",
        ),
    ),
}


@pytest.mark.parametrize("name", FAULTS)
@sqlite_only
def test_each_fault_is_found_and_no_other(room: Room, name: str) -> None:
    spoil, expected = FAULTS[name]
    spoil(room)
    found = [line for line in room.look() if line.state != "ok"]
    wanted = [expected]
    if name == "nobody dispatches":
        wanted.append(FAULTS["nobody approves"][1])
    assert found == wanted


@sqlite_only
def test_a_project_that_gives_advice_needs_no_equipment(room: Room) -> None:
    room.project |= {"mode": "advise", "repository": None}
    room.rights, room.limits = [], []
    lines = room.look()
    assert {line.state for line in lines} == {"ok"}
    assert Line("ok", PROJECT, "Its mode is advise: no agent starts.") in lines


@sqlite_only
def test_silence_needs_a_right_of_admins(room: Room) -> None:
    room.tracker.missing_rights |= {"ADMINISTER", "ADMINISTER_PROJECTS"}
    assert [line.text for line in room.look() if line.state == "warn"] == [
        "Edits of comments may send mail: silence is sure with Administer Projects alone."
    ]


@sqlite_only
def test_parked_deliveries_are_counted(room: Room, database: Database) -> None:
    with database.write() as c:
        row = {"id": "d1", "site_id": "acme", "ident": "i1", "event": "e", "kind": "ticket"}
        c.execute(
            inbox.insert().values(**row, outcome="parked", reason="why", received_at=NOW, relays=0)
        )
    (line,) = [line for line in room.look() if line.state != "ok"]
    assert line == Line(
        "warn", "Deliveries", "1 are parked after a fault of ours.", "See `signalbox deliveries`."
    )


def test_what_is_told_is_json(room: Room) -> None:
    assert json.loads(json.dumps(counted(room.look())))["faults"] == 0
