"""The two folds of the readiness comment: the author's text with gaps to fill, and every check."""

from __future__ import annotations

from app.core.comments.phrases import short
from app.core.criteria import BY_NAME
from app.core.readiness import Finding, Readiness
from app.core.text import Block, Span, expand, paragraph

GAP = "[…]"
LONGEST_SKELETON = 6000


def skeleton_fold(readiness: Readiness) -> Block:
    title = f"Your text as a skeleton with {GAP} where an answer goes"
    code = Block("code", spans=(Span(skeleton(readiness)),))
    return expand(title, code, paragraph('To have it put into the description: "agent apply".'))


def skeleton(readiness: Readiness) -> str:
    """The description with a gap after each phrase that leaves something open, and below it one
    line for each answer that has no place yet."""
    summary, _, body = readiness.text.partition("\n")
    offset = len(summary) + 1
    named = {finding.criterion: finding for finding in readiness.findings}
    gaps: set[int] = set()
    lines: list[str] = []
    for question in readiness.questions:
        finding = named.get(question.criterion)
        ends = [end - offset for _, end in finding.quotes[:1]] if finding else []
        if ends and 0 < ends[0] <= len(body):
            gaps.add(ends[0])
        else:
            lines.append(f"{question.text.split('?')[0]}? {GAP}")
    at = 0
    out: list[str] = []
    for end in sorted(gaps):
        out.extend([body[at:end], f" {GAP}"])
        at = end
    out.append(body[at:])
    filled = "".join(out).strip("\n")
    if len(filled) > LONGEST_SKELETON:
        filled = filled[:LONGEST_SKELETON].rstrip() + " …"
    return "\n\n".join(part for part in (filled, "\n".join(lines)) if part)


def checks_fold(readiness: Readiness) -> Block:
    """Every criterion with its state in words and what it was seen by."""
    states = [f.status for f in readiness.findings if not (f.aside and f.status == "silent")]
    counts = [
        (states.count("met"), "met"),
        (states.count("unmet"), "missing"),
        (states.count("silent"), "not judged"),
        (states.count("not_applicable"), "not needed here"),
        (len(readiness.findings) - len(states), "set aside"),
    ]
    title = ", ".join(f"{number} {word}" for number, word in counts if number)
    head = _row("Check", "State", "Seen in the text", header=True)
    rows = (_check(finding, readiness.text) for finding in readiness.findings)
    return expand(f"All checks: {title}", Block("table", children=(head, *rows)))


def _check(finding: Finding, text: str) -> Block:
    criterion = BY_NAME.get(finding.criterion)
    title = criterion.title if criterion else finding.criterion.replace("_", " ").capitalize()
    flaw = criterion is not None and criterion.flaw
    state = {
        "met": "met",
        "unmet": "in the way" if flaw else "missing",
        "silent": "not judged",
        "not_applicable": "not needed here",
    }[finding.status]
    if finding.aside and finding.status == "silent":
        state = "set aside by a person"
    return _row(title, state, _seen(finding, text))


def _seen(finding: Finding, text: str) -> str:
    if finding.status == "not_applicable":
        return "–"
    found = finding.found or (text[slice(*finding.quotes[0])] if finding.quotes else "")
    quote = f'"{short(found, 120)}"' if found else ""
    looked_for = f"I looked for {finding.looked_for}." if finding.looked_for and not quote else ""
    repair = finding.repair if finding.status == "unmet" else ""
    return " ".join(part for part in (quote, looked_for, repair) if part) or "nothing against it"


def _row(*cells: str, header: bool = False) -> Block:
    content = (Block("cell", children=(paragraph(cell),), header=header) for cell in cells)
    return Block("row", children=tuple(content))
