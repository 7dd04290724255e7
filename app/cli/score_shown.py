"""What `signalbox score` prints: for a terminal, for a program, or to paste somewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from app.cli import show

if TYPE_CHECKING:
    from app.core.comments.readiness import ReadinessView
    from app.core.readiness import Readiness, Verdict
    from app.core.text import Block, Document

VERDICTS: dict[Verdict, tuple[str, int]] = {
    "ready": ("ready", 0),
    "nearly": ("nearly", 3),
    "not_yet": ("not yet", 4),
}
"""Words and exit code. 1 and 2 are faults, as everywhere."""


def of_text(name: str, readiness: Readiness, document: Document, form: str) -> None:
    """A file or stdin: no ticket, so neither who starts nor what happens next."""
    from app.core.comments.readiness import NoStart, ReadinessView, readiness_comment

    if form == "json":
        show.document({"file": name, **facts(readiness)})
        return
    view = ReadinessView(
        readiness,
        NoStart("mode"),
        "",
        unread=document.unread,
        hidden=document.hidden,
    )
    if form == "markdown":
        _markdown("" if name == "-" else f"{name}: ", view)
        return
    _text((_headline(readiness), *readiness_comment(view)[1:-2]), readiness)


def of_ticket(site: str, key: str, view: ReadinessView, form: str) -> None:
    from app.core.comments.readiness import readiness_comment

    if form == "json":
        show.document({"site": site, "key": key, **facts(view.readiness)})
    elif form == "markdown":
        _markdown(f"{key}: ", view)
    else:
        _text(readiness_comment(view), view.readiness)


def _headline(readiness: Readiness, name: str = "") -> Block:
    from app.core.comments.phrases import headline, lozenge

    words, _ = VERDICTS[readiness.verdict]
    missing = 0 if readiness.verdict == "ready" else len(readiness.questions)
    count = f", {missing} open question{'s' if missing > 1 else ''}" if missing else ""
    scored = "not judged" if readiness.score is None else f"{readiness.score}/100"
    mark = lozenge(words, "green" if readiness.verdict == "ready" else "yellow")
    return headline(mark, f"{name}{scored}{count}.")


def _text(blocks: tuple[Block, ...], readiness: Readiness) -> None:
    from rich.console import Console

    from app.core.plain import render

    console = Console(highlight=False, markup=False, emoji=False, soft_wrap=True)
    first, _, rest = render(blocks).partition("\n")
    console.print(first, style="green" if readiness.verdict == "ready" else "yellow")
    console.print(rest)


def _markdown(name: str, view: ReadinessView) -> None:
    """Verdict, what is good, questions, every check; not the text itself, which stands there."""
    import typer

    from app.core.comments.doubts import means
    from app.core.comments.readiness import NoStart, readiness_comment
    from app.core.markdown import to_markdown
    from app.core.text import Span, paragraph

    readiness = view.readiness
    said = readiness_comment(replace(view, decision=NoStart("mode")))[1:-2]
    blocks = [_headline(readiness, name), *(b for b in said if b.kind != "expand")]
    for fold in said:
        if fold.kind == "expand" and fold.children[0].kind == "table":
            blocks.extend([paragraph(Span(f"{fold.title}.")), *fold.children])
    blocks.append(paragraph(Span(f"Signalbox, {readiness.rubric}, {means(readiness)}", em=True)))
    typer.echo(to_markdown(blocks))


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
