"""What the LLM judge adds to the readiness comment: its doubts and its proposal, folded."""

from __future__ import annotations

from app.core.comments.phrases import count, sentence, short
from app.core.criteria import BY_NAME
from app.core.doubts import Doubt, Judgement
from app.core.readiness import Readiness
from app.core.text import Block, Span, expand, paragraph

GRAVITY = {1: "slight", 2: "serious", 3: "grave"}


def means(readiness: Readiness) -> str:
    """Who judged, and where the text went: the last small line says it."""
    if readiness.judged is None:
        return "no AI, text stayed here"
    if readiness.judged.judgement is None:
        return "without AI"
    return "with AI, text was sent to it"


def judge_folds(readiness: Readiness) -> tuple[Block, ...]:
    """Nothing where no judge answered."""
    judgement = readiness.judged.judgement if readiness.judged else None
    if judgement is None:
        return ()
    folds = [_doubts(judgement, readiness.text)] if judgement.doubts else []
    if judgement.proposal and readiness.verdict != "ready":
        folds.append(_proposal(judgement.proposal))
    return tuple(folds)


def _doubts(judgement: Judgement, text: str) -> Block:
    title = f"What the AI doubts: {count(len(judgement.doubts), 'point', 'points')}"
    head = _row("Check", "Doubt", "Seen in the text", header=True)
    rows = (_row(*_told(doubt, text)) for doubt in judgement.doubts)
    table = Block("table", children=(head, *rows))
    told = [f"{name}: {value}" for name, value in _estimates(judgement) if value != "unknown"]
    more = [paragraph(f"It takes the work for: {', '.join(told)}.")] if told else []
    return expand(title, table, *more)


def _estimates(judgement: Judgement) -> tuple[tuple[str, str], ...]:
    return ("size", judgement.size), ("risk", judgement.risk)


def _told(doubt: Doubt, text: str) -> tuple[str, str, str]:
    criterion = BY_NAME.get(doubt.criterion)
    title = criterion.title if criterion else "Speaks to a machine"
    quote = short(text[slice(*doubt.quote)], 120)
    return title, GRAVITY[doubt.severity], " ".join(f'"{quote}" {sentence(doubt.why)}'.split())


def _proposal(text: str) -> Block:
    title = "A text proposed by AI: what it assumed is marked, only you know whether it is so"
    return expand(title, Block("code", spans=(Span(text),)))


def _row(*cells: str, header: bool = False) -> Block:
    content = (Block("cell", children=(paragraph(cell),), header=header) for cell in cells)
    return Block("row", children=tuple(content))
