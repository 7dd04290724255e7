"""`signalbox scan`: which tickets of a backlog an agent could start on; writes nothing to Jira."""

from __future__ import annotations

import csv
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from app.cli import show
from app.cli.faults import Mistake
from app.cli.options import TRY, OfProject, OfSite
from app.cli.place import chosen_site, opened

if TYPE_CHECKING:
    from app.admin.setup import Desk
    from app.store.scans import Row

SHOWN = 10
LONGEST_WAIT = 600.0
"""Seconds that Jira may ask a scan to wait; for longer, `--resume` is there."""
PRIVATE = "No AI was asked and the text stayed here. Nothing was written to Jira."
KEPT = "What was read is kept: `signalbox scan --resume` goes on."
COLUMNS = ("ticket", "group", "score", "verdict", "open questions", "first question", "address")
Jql = Annotated[
    str | None,
    typer.Option("--jql", metavar="JQL", help="Which tickets; a project's open ones if none."),
]
Csv = Annotated[
    Path | None, typer.Option("--csv", metavar="FILE", help="Write every ticket there as CSV.")
]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a scan that was broken off.")]
Format = Annotated[
    Literal["text", "json"],
    typer.Option("--format", metavar="FORM", help="text or json (every ticket)."),
]


def register(app: typer.Typer) -> None:
    app.command("scan", rich_help_panel=TRY)(scan)


def scan(
    jql: Jql = None,
    project: OfProject = None,
    site: OfSite = None,
    csv_file: Csv = None,
    form: Format = "text",
    resume: Resume = False,
) -> None:
    """Score a whole backlog: ready now, one answer away, not for agents; the nearest first.

    It reads Jira, judges by the checklist and keeps keys and scores, no text. No AI is asked, so
    it costs nothing; no comment is written. Tickets that are done, and those that are left alone
    by default (service desk, security level), are counted and not judged.

    What broke off goes on with --resume: what was read is not read again.

    Examples:

    \b
    signalbox scan --project BILL
    signalbox scan --jql 'labels = agent-ready' --csv backlog.csv
    signalbox scan --resume
    """
    from app.core.shards import query

    if csv_file is not None and not csv_file.parent.is_dir():
        raise Mistake(f"There is no folder {csv_file.parent} to write {csv_file.name} to.")
    wish = (jql or "", (project or "").upper())
    if not (resume or query(*wish)):
        raise Mistake("Say what to scan: --project KEY, --jql 'JQL', or --resume.")
    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = _chosen(desk, site_id, wish, resume=resume)
        _read(desk, row)
        row = _finished(desk, row)
        result = _result(desk, row)
    if csv_file is not None:
        _write(csv_file, result["tickets"])
    if form == "json":
        show.document(result)
    else:
        _print(result, csv_file)


def _chosen(desk: Desk, site_id: str, wish: tuple[str, str], *, resume: bool) -> Row:
    from app.assessment.scan import begin
    from app.core.shards import query
    from app.store import scans

    if not resume:
        return begin(desk.db, desk.jira(site_id), site_id, wish, desk.now)
    row = scans.unfinished(desk.db, site_id, query(*wish))
    if row is None:
        raise Mistake(f"No scan of {site_id} was broken off: start one without --resume.")
    return row


def _read(desk: Desk, row: Row) -> None:
    """To its end, with a bar; a wait that Jira asks for is waited."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn
    from rich.progress import TimeRemainingColumn as Left

    from app.assessment.scan import read_on
    from app.ports import RateLimited, Transient
    from app.store import scans

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), Left())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as p:
        bar = p.add_task("Reading tickets", total=None)

        def told(seen: int, total: int) -> None:
            p.update(bar, completed=seen, total=max(seen, total))

        while True:
            try:
                return read_on(desk.db, desk.jira(row["site_id"]), row, told)
            except RateLimited as limit:
                if limit.after > LONGEST_WAIT:
                    raise
                p.update(bar, description=f"Jira asks to wait {limit.after:.0f} s")
                time.sleep(limit.after)
                p.update(bar, description="Reading tickets")
                row = scans.get(desk.db, row["site_id"], row["id"])
            except Transient as fault:
                raise Transient(f"{fault} {KEPT}") from fault


def _finished(desk: Desk, row: Row) -> Row:
    from app.adapters.clock import SystemClock
    from app.store import scans

    scans.finish(desk.db, row, SystemClock().now())
    return scans.get(desk.db, row["site_id"], row["id"])


def _result(desk: Desk, row: Row) -> dict[str, Any]:
    from app.core.backlog import APART, GROUPS
    from app.store import scans, sites

    counts = scans.counts(desk.db, row)
    browse = sites.get_site(desk.db, row["site_id"])["browse_url"]
    lines = [line for group in GROUPS for line in scans.ranked(desk.db, row, group)]
    named = ("key", "group", "score", "verdict", "questions", "top")
    return {
        "scan": row["id"],
        "site": row["site_id"],
        "jql": row["jql"],
        "rubric": row["rubric"],
        "started_at": row["started_at"],
        "ended_at": row["ended_at"],
        "read": sum(counts.values()),
        "left_alone": counts.pop(APART),
        "groups": counts,
        "tickets": [
            {**{name: line[name] for name in named}, "url": f"{browse}/browse/{line['key']}"}
            for line in lines
        ],
    }


def _write(file: Path, tickets: Iterable[dict[str, Any]]) -> None:
    from app.core.backlog import GROUPS, cell

    try:
        with file.open("w", newline="", encoding="utf-8-sig") as out:
            writer = csv.writer(out)
            writer.writerow(COLUMNS)
            for ticket in tickets:
                shown = {**ticket, "group": GROUPS[ticket["group"]]}
                writer.writerow([cell(value) for value in shown.values()])
    except OSError as fault:
        raise Mistake(f"The file {file} cannot be written: {fault.strerror}.") from None


def _print(result: dict[str, Any], csv_file: Path | None) -> None:
    from app.core.backlog import GROUPS
    from app.core.criteria import BY_NAME

    typer.echo(f"Scan of {result['site']}: {result['jql']}")
    alone = result["left_alone"]
    apart = f"; {alone:,} of them done or left alone, so not judged" if alone else ""
    typer.echo(f"{result['read']:,} tickets read{apart}.")
    for group, title in GROUPS.items():
        typer.echo(f"\n{title}: {result['groups'][group]:,}")
        lines = [each for each in result["tickets"] if each["group"] == group][:SHOWN]
        if lines:
            show.table(
                ("Ticket", "Score", "Open", "Asked first"),
                [
                    (
                        each["key"],
                        "" if each["score"] is None else str(each["score"]),
                        str(each["questions"] or ""),
                        BY_NAME[each["top"]].title if each["top"] else "",
                    )
                    for each in lines
                ],
                right=("Score", "Open"),
            )
    typer.echo(f"\n{PRIVATE}")
    every = f"Every ticket is in {csv_file}." if csv_file else "Every ticket: --csv FILE."
    typer.echo(every)
