"""Is everything there that a run needs? Each answer is tried live and says what to do about it."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from app.admin import jira_rights, own_account
from app.admin.line import Line, State
from app.admin.setup import Desk
from app.core import expiry
from app.core.connection import KINDS
from app.core.money import show
from app.core.rights import IMPLIES
from app.ports import Cage, CodeHost, PortError, Tracker
from app.store import budgets, chain, inbox, migrate, sites
from app.store.database import Database, DatabaseFault

STARTS = ("approve", "auto")
"""Modes in which an agent may start: only there has a run's equipment to be complete."""
UPGRADE = "Run `signalbox db upgrade`."


@dataclass(frozen=True, slots=True)
class Equipment:
    """What runs are made with. agent_fault: by an agent's name, why it cannot start; empty = it
    can."""

    code_host: CodeHost
    cage: Cage
    agent_fault: Callable[[str], tuple[str, str]]


def examine_database(url: str) -> Iterator[Line]:
    """Reachable, of this version, and on SQLite in the mode that lets us read while we write."""
    sqlite = url.startswith("sqlite:///")
    what = "SQLite" if sqlite else "Postgres"
    if sqlite and not Path(url.removeprefix("sqlite:///")).exists():
        yield Line("fault", "Database", "There is none yet.", UPGRADE)
        return
    try:
        present, wanted = migrate.current(url), migrate.head()
        journal = _journal_mode(url) if sqlite else "wal"
    except DatabaseFault as fault:
        said = (str(fault).splitlines() or [type(fault).__name__])[0]
        yield Line("fault", "Database", f"It cannot be used: {said}", "See SIGNALBOX_DATABASE_URL.")
        return
    if present != wanted:
        text = f"It is at revision {present or 'none'}, this version needs {wanted}."
        yield Line("fault", "Database", text, UPGRADE)
    else:
        yield Line("ok", "Database", f"{what} at revision {present}.")
    if journal != "wal":
        text = f"SQLite's journal mode is {journal}, so readers and writers wait for each other."
        yield Line("fault", "Database", text, UPGRADE)


def _journal_mode(url: str) -> str:
    db = Database(url)
    try:
        return db.journal_mode()
    finally:
        db.close()


def examine(desk: Desk, equipment: Equipment) -> Iterator[Line]:
    """All sites and projects, then what their runs share."""
    rows = sites.list_sites(desk.db)
    if not rows:
        yield Line("warn", "Sites", "No site is connected.", "Run `signalbox site add`.")
    for site in rows:
        yield from _site(desk, equipment, site)
    yield from _deliveries(desk.db)
    yield from _cage(equipment.cage, sites.list_projects(desk.db))


def _site(desk: Desk, equipment: Equipment, site: sites.Row) -> Iterator[Line]:
    name = f"Site {site['id']}"
    if site["paused_at"]:
        yield Line(
            "warn",
            name,
            "It is paused: nothing starts.",
            f"Run `signalbox resume --site {site['id']}`.",
        )
    yield from _door(desk, name, site)
    try:
        tracker = desk.jira(site["id"])
        me = tracker.myself()
    except PortError as fault:
        again = f"Mend it, or run `signalbox site add {site['id']}` with a new token."
        yield Line("fault", name, str(fault), again)
        return
    if me.id == site["account_id"]:
        yield Line("ok", name, f"Jira answers; Signalbox is {me.name} ({me.id}).")
        if shared := own_account.warning(me):
            yield Line("warn", name, shared, own_account.ADVICE)
    else:
        text = f"The token now belongs to {me.name} ({me.id}): its comments would not be ours."
        yield Line("fault", name, text, f"Run `signalbox site add {site['id']}` with our token.")
    yield from _expiry(name, site, desk.now)
    projects = sites.list_projects(desk.db, site["id"])
    if not projects:
        yield Line(
            "warn",
            name,
            "No project is connected.",
            f"Run `signalbox project add --site {site['id']}`.",
        )
    silent = bool(projects)
    for project in projects:
        silent &= yield from _project(desk, equipment, tracker, site, project)
    # Everywhere or nowhere: a silent edit that is refused has to be made twice.
    sites.set_silent(desk.db, site["id"], silent=silent)


def _door(desk: Desk, name: str, site: sites.Row) -> Iterator[Line]:
    door = KINDS[site["connection"]].door
    if door == "none":
        yield Line("ok", name, "It is polled: no delivery is expected.")
    elif door in ("webhook", "automation") and site["webhook_secret"]:
        yield from _sealed(desk, name, site["webhook_secret"])
    elif door in ("webhook", "automation"):
        yield Line(
            "warn",
            name,
            "It has no webhook secret, so the endpoint is closed: it is only polled now and then.",
            f"Run `signalbox site add {site['id']} --webhook-secret-env NAME`.",
        )


def _expiry(name: str, site: sites.Row, now: datetime) -> Iterator[Line]:
    if expiry.warning(site["token_expires_at"], now) is None or KINDS[site["connection"]].handed:
        return
    state: State = "fault" if site["token_expires_at"] <= now else "warn"
    again = f"Make a new one in Jira, then run `signalbox site add {site['id']}` with it."
    yield Line(state, name, expiry.sentence(site["token_expires_at"], now), again)


def _sealed(desk: Desk, name: str, secret: str) -> Iterator[Line]:
    try:
        desk.secrets.unseal(secret)
    except PortError as fault:
        yield Line("fault", name, f"The webhook secret: {fault}", "See SIGNALBOX_SECRET_KEY.")
    else:
        yield Line("ok", name, "The webhook secret is set.")


def _project(
    desk: Desk, equipment: Equipment, tracker: Tracker, site: sites.Row, project: sites.Row
) -> Generator[Line, None, bool]:
    """Its lines; whether its comments can be edited without mail."""
    name = f"Project {site['id']}/{project['key']}"
    if project["mode"] == "off":
        yield Line("ok", name, "It is switched off: nothing is looked at.")
        return True
    if project["paused_at"]:
        again = f"Run `signalbox resume {_named(project)}`."
        yield Line("warn", name, "It is paused: nothing starts.", again)
    try:
        silent = yield from jira_rights.held(tracker, name, project["key"])
    except PortError as fault:
        yield Line("fault", name, str(fault), "Ask a Jira admin to let Signalbox's account in.")
        return False
    if project["mode"] not in STARTS:
        yield Line("ok", name, f"Its mode is {project['mode']}: no agent starts.")
        return silent
    yield from _people(desk, tracker, name, site, project)
    yield from _money(desk.db, name, site, project)
    yield from _code(equipment.code_host, name, project)
    text, again = equipment.agent_fault(project["agent"])
    if text:
        yield Line("fault", name, text, again)
    else:
        yield Line("ok", name, f"The agent {project['agent']} is here.")
    return silent


def _named(project: sites.Row) -> str:
    return f"--site {project['site_id']} --project {project['key']}"


def _people(
    desk: Desk, tracker: Tracker, name: str, site: sites.Row, project: sites.Row
) -> Iterator[Line]:
    """Somebody may dispatch, somebody may approve, and Jira lets us read roles and accounts."""
    grants = sites.grants(desk.db, site["id"], project["key"])
    approved = project["mode"] == "approve" or project["approve_above"] is not None
    wanted = ["dispatch", "approve"] if approved else ["dispatch"]
    for right in wanted:
        if any(right in IMPLIES[row["right"]] for row in grants):
            yield Line("ok", name, f"Somebody holds the right {right}.")
        else:
            again = f"Run `signalbox role grant {right} {_named(project)} ...`."
            yield Line("fault", name, f"Nobody holds the right {right}: nothing starts.", again)
    yield from jira_rights.readable(tracker, name, site, project["key"])


def _money(db: Database, name: str, site: sites.Row, project: sites.Row) -> Iterator[Line]:
    rows = {(b.kind, b.subject, b.period): b.limit for b in budgets.limits(db, site["id"])}
    named = {"site": site["id"], "project": project["key"], "agent": project["agent"]}
    rules = chain.Rules(rows)
    found = {
        (kind, period): limit
        for kind, periods in chain.LEVELS.items()
        for period in periods
        if (limit := rules.limit(kind, named.get(kind, chain.DEFAULT), period)) is not None
    }
    if not any(kind in chain.ABOVE_A_TICKET for kind, _ in found):
        again = f"Run `signalbox budget set --site {site['id']} --limit AMOUNT`."
        yield Line("fault", name, "No budget is set above it: nothing may be spent.", again)
        return
    cap, currency = project["attempt_cap"], site["currency"]
    tight = [f"{kind} ({period})" for (kind, period), limit in found.items() if limit < cap]
    if tight:
        text = f"An attempt takes {show(cap, currency)}, more than the limit of {tight[0]} allows."
        yield Line("fault", name, text, "Raise that limit, or lower --attempt-cap.")
    else:
        yield Line("ok", name, f"A budget is set; an attempt takes {show(cap, currency)} of it.")


def _code(code_host: CodeHost, name: str, project: sites.Row) -> Iterator[Line]:
    again = f"Run `signalbox project add --site {project['site_id']} --key {project['key']} ...`."
    if not project["acceptance"]:
        text = "It has no acceptance command, so nothing could be checked: nothing starts."
        yield Line("fault", name, text, again)
    if not project["repository"]:
        yield Line("fault", name, "It has no repository: nothing starts.", again)
        return
    base = project["base_branch"]
    try:
        waiting = len(code_host.open_agent_pull_requests(project["repository"], base))
    except PortError as fault:
        yield Line("fault", name, str(fault), f"Mend it. Or: {again}")
        return
    text = f"{project['repository']} answers and has the branch {base}; {waiting} wait for review."
    if waiting >= project["open_pull_requests"]:
        yield Line("warn", name, text, "Review them: nothing starts before.")
    else:
        yield Line("ok", name, text)


def _deliveries(db: Database) -> Iterator[Line]:
    parked = inbox.counts(db).get("parked", 0)
    if parked:
        text = f"{parked} are parked after a fault of ours."
        yield Line("warn", "Deliveries", text, "See `signalbox deliveries`.")


def _cage(cage: Cage, projects: list[sites.Row]) -> Iterator[Line]:
    fault = cage.available()
    if not fault:
        yield Line("ok", "Cage", f"{cage.name} works.")
        return
    starting = [row for row in projects if row["mode"] in STARTS]
    caged = [row["key"] for row in starting if not row["without_cage"]]
    if caged:
        again = f"Nothing starts in {', '.join(caged)} before."
        yield Line("fault", "Cage", fault, again)
    else:
        text = f"{fault} Agents run without a cage." if starting else fault
        yield Line("warn", "Cage", text, "Install it before agents work on code that matters.")


def counted(lines: list[Line]) -> Mapping[str, Any]:
    """For machines: each line, and how many of each kind."""
    return {
        "faults": sum(line.state == "fault" for line in lines),
        "warnings": sum(line.state == "warn" for line in lines),
        "lines": [
            {"state": o.state, "subject": o.subject, "text": o.text, "next": o.next} for o in lines
        ],
    }
