"""`signalbox score`: judge a text file, a stream of texts or a ticket; writes nothing anywhere."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from app.cli import show
from app.cli.faults import FAILED, Mistake
from app.cli.options import TRY, AsJson, OfSite

if TYPE_CHECKING:
    from app.core.readiness import Readiness
    from app.core.text import Block

TICKET = re.compile(r"[A-Z][A-Z0-9_]+-[1-9][0-9]*")
LARGEST = 5_000_000
What = Annotated[
    str | None,
    typer.Argument(metavar="FILE|KEY", help="Text file, - for stdin, or key of a ticket."),
]
Jsonl = Annotated[
    bool, typer.Option("--jsonl", help="Read JSON lines from stdin, write one for each.")
]
Type = Annotated[
    str | None, typer.Option("--type", metavar="NAME", help="Issue type of a file, such as Bug.")
]


def register(app: typer.Typer) -> None:
    app.command("score", rich_help_panel=TRY)(score)


def score(
    what: What = None,
    jsonl: Jsonl = False,
    type_: Type = None,
    site: OfSite = None,
    as_json: AsJson = False,
) -> None:
    """Score a spec by the checklist: what is good, what is missing, what to ask.

    A file is a summary in its first line and a description below it. A ticket is read from its
    site and judged by its project's rules. Nothing is written, and no model is asked.

    --jsonl reads {"id", "summary", "description", "issue_type"} and writes {"id", "score",
    "criteria", "evidence", ...}, one line each, as soon as each is there.

    Examples:

    \b
    signalbox score spec.md --type Bug
    signalbox score BILL-231
    signalbox score --jsonl < tickets.jsonl > scores.jsonl
    """
    if jsonl:
        if what not in (None, "-") or as_json or type_ or site:
            raise Mistake("--jsonl reads stdin alone and takes nothing else beside it.")
        if not score_lines(sys.stdin.buffer, sys.stdout.buffer):
            raise typer.Exit(FAILED)
    elif what is None:
        raise Mistake("Name a file, - for stdin, or the key of a ticket.")
    elif what == "-" or Path(what).exists():
        _score_text(what, type_, as_json)
    elif TICKET.fullmatch(what):
        _score_ticket(what, site, as_json)
    else:
        raise Mistake(f"There is no file {what}, and it is no key of a ticket.")


def score_lines(lines: BinaryIO, out: BinaryIO) -> bool:
    """One line out for each line in; one that cannot be read is answered with its fault. Whether
    all could be read."""
    fine = True
    for raw in lines:
        if not raw.strip():
            continue
        answer = _answer(raw)
        fine = fine and "error" not in answer
        out.write(json.dumps(answer).encode() + b"\n")
        out.flush()
    return fine


def _answer(raw: bytes) -> dict[str, Any]:
    from app.core.scoring_lines import score_line

    try:
        asked = json.loads(raw)
    except (ValueError, RecursionError) as fault:
        return {"id": None, "score": None, "error": f"no JSON: {fault}"}
    if not isinstance(asked, dict):
        return {"id": None, "score": None, "error": "an object is expected"}
    for name in ("summary", "description", "issue_type"):
        if not isinstance(asked.get(name), str | None):
            wrong = f"{name} has to be a string"
            return {"id": asked.get("id"), "score": None, "error": wrong}
    return score_line(asked)


def _score_text(name: str, type_: str | None, as_json: bool) -> None:
    from app.core.comments.readiness import NoStart, ReadinessView, readiness_comment
    from app.core.readiness import assess
    from app.core.text import from_plain
    from app.core.wiki import from_wiki

    summary, _, rest = _read(name).strip().partition("\n")
    summary = summary.lstrip("#").strip()
    description = from_plain(rest) if name.endswith(".md") else from_wiki(rest)
    readiness = assess(summary, description, type_)
    if as_json:
        show.document({"file": name, **facts(readiness)})
        return
    view = ReadinessView(readiness, NoStart("mode"), "", hidden=description.hidden)
    # No ticket, so neither its first line (who starts) nor its last two (what happens in Jira).
    _print((_headline(readiness), *readiness_comment(view)[1:-2]), readiness)


def _read(name: str) -> str:
    try:
        if name == "-":
            raw = sys.stdin.buffer.read(LARGEST + 1)
        else:
            with Path(name).open("rb") as file:
                raw = file.read(LARGEST + 1)
    except OSError as fault:
        raise Mistake(f"The file {name} cannot be read: {fault.strerror}.") from None
    if len(raw) > LARGEST:
        raise Mistake(f"The file {name} is larger than {LARGEST} bytes: no spec is.")
    return raw.decode(errors="replace").replace("\r\n", "\n")


def _headline(readiness: Readiness) -> Block:
    from app.core.comments.phrases import headline, lozenge

    words = {"ready": "ready", "nearly": "nearly", "not_yet": "not yet"}[readiness.verdict]
    missing = len(readiness.questions)
    count = f", {missing} open question{'s' if missing > 1 else ''}" if missing else ""
    scored = "not judged" if readiness.score is None else f"{readiness.score}/100"
    mark = lozenge(words, "green" if readiness.verdict == "ready" else "yellow")
    return headline(mark, f"{scored}{count}.")


def _print(blocks: tuple[Block, ...], readiness: Readiness) -> None:
    from rich.console import Console

    from app.core.plain import render

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    first, _, rest = render(blocks).partition("\n")
    console.print(first, style="green" if readiness.verdict == "ready" else "yellow")
    console.print(rest)


def _score_ticket(key: str, site: str | None, as_json: bool) -> None:
    from app.cli.place import chosen_site, opened
    from app.core.comments.readiness import NoStart, ReadinessView, readiness_comment
    from app.core.readiness import assess
    from app.store import sites, spending

    with opened() as desk:
        site_id = chosen_site(desk, site)
        row = sites.get_site(desk.db, site_id)
        ticket = desk.jira(site_id).ticket(key)
        project = sites.get_project(desk.db, site_id, ticket.project_key)
        nothing_spent = spending.ticket_cost(desk.db, site_id, ticket.id) == (0, 0)
    rules: dict[str, Any] = {}
    if project is not None:
        rules = {
            "must_haves": frozenset(project["must_haves"]),
            "threshold": project["threshold"],
        }
    readiness = assess(ticket.summary, ticket.description, ticket.issue_type, **rules)
    if as_json:
        show.document({"site": site_id, "key": ticket.key, **facts(readiness)})
        return
    labelled = row["label"] in ticket.labels
    view = ReadinessView(
        readiness,
        NoStart("mode" if labelled else "no_label"),
        row["label"],
        nothing_spent=nothing_spent,
        unread=ticket.description.unread,
        hidden=ticket.description.hidden,
    )
    _print(readiness_comment(view), readiness)


def facts(readiness: Readiness) -> dict[str, Any]:
    """The whole result, every point of it explained."""
    from app.core.readiness import points

    text = readiness.text
    return {
        "score": readiness.score,
        "verdict": readiness.verdict,
        "rubric": readiness.rubric,
        "note": readiness.note,
        "good": list(readiness.good),
        "questions": [
            {"criterion": q.criterion, "text": q.text, "example": q.example, "found": q.found}
            for q in readiness.questions
        ],
        "criteria": {f.criterion: f.status for f in readiness.findings},
        "evidence": {
            f.criterion: [text[start:end] for start, end in f.quotes]
            for f in readiness.findings
            if f.quotes
        },
        "points": [
            {"criterion": p.criterion, "got": round(p.got, 2), "of": round(p.of, 2), "why": p.why}
            for p in points(readiness.findings)
        ],
    }
