"""`signalbox score`: judge a text file, a stream of texts or a ticket; writes nothing anywhere."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO, Literal

import typer

from app.cli import score_shown
from app.cli.faults import FAILED, Mistake
from app.cli.options import TRY, OfSite

if TYPE_CHECKING:
    from app.core.readiness import Verdict

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
MARKDOWN = (".md", ".markdown")
Format = Annotated[
    Literal["text", "json", "markdown"],
    typer.Option(
        "--format", metavar="FORM", help="text, json (everything) or markdown (to paste)."
    ),
]


def register(app: typer.Typer) -> None:
    app.command("score", rich_help_panel=TRY)(score)


def score(
    what: What = None,
    jsonl: Jsonl = False,
    type_: Type = None,
    site: OfSite = None,
    form: Format = "text",
) -> None:
    """Score a spec by the checklist: what is good, what is missing, what to ask.

    A file is a summary in its first line and a description below it: Markdown if its name ends in
    .md, Jira's markup otherwise. A ticket is read from its site and judged by its project's rules.
    Nothing is written, and no model is asked.

    Exit code 0 if it is ready, 3 if nearly, 4 if not yet.

    --jsonl reads {"id", "summary", "description", "issue_type"} and writes {"id", "score",
    "criteria", "evidence", ...}, one line each, as soon as each is there. Exit code 0 if all
    lines could be read.

    Examples:

    \b
    signalbox score spec.md --type Bug
    signalbox score BILL-231 --format markdown
    signalbox score --jsonl < tickets.jsonl > scores.jsonl
    """
    if jsonl:
        if what not in (None, "-") or form != "text" or type_ or site:
            raise Mistake("--jsonl reads stdin alone and takes nothing else beside it.")
        if not score_lines(sys.stdin.buffer, sys.stdout.buffer):
            raise typer.Exit(FAILED)
        return
    if what is None:
        raise Mistake("Name a file, - for stdin, or the key of a ticket.")
    if what == "-" or Path(what).exists():
        verdict = _score_text(what, type_, form)
    elif TICKET.fullmatch(what):
        verdict = _score_ticket(what, site, form)
    else:
        raise Mistake(f"There is no file {what}, and it is no key of a ticket.")
    raise typer.Exit(score_shown.VERDICTS[verdict][1])


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


def _score_text(name: str, type_: str | None, form: str) -> Verdict:
    from app.core.markdown import titled
    from app.core.readiness import assess
    from app.core.wiki import from_wiki

    text = _read(name)
    if name.endswith(MARKDOWN):
        summary, description = titled(text)
    else:
        first, _, rest = text.strip().partition("\n")
        summary, description = first.lstrip("#").strip(), from_wiki(rest)
    readiness = assess(summary, description, type_)
    score_shown.of_text(name, readiness, description, form)
    return readiness.verdict


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


def _score_ticket(key: str, site: str | None, form: str) -> Verdict:
    from app.cli.place import chosen_site, opened
    from app.core.comments.readiness import NoStart, ReadinessView
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
    labelled = row["label"] in ticket.labels
    view = ReadinessView(
        readiness,
        NoStart("mode" if labelled else "no_label"),
        row["label"],
        nothing_spent=nothing_spent,
        unread=ticket.description.unread,
        hidden=ticket.description.hidden,
    )
    score_shown.of_ticket(site_id, ticket.key, view, form)
    return readiness.verdict
