"""The text that `agent apply` writes into a description: the judge's where there is one, else the
author's own words with a gap for each answer that is missing."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.markdown import from_markdown
from app.core.readiness import Readiness
from app.core.text import Block, Document, paragraph

GAP = "[…]"


def proposed(description: Document, readiness: Readiness, words: str = "") -> tuple[Block, ...]:
    """words: the judge's proposal. Nothing where no answer is missing."""
    if not readiness.questions or readiness.verdict == "ready":
        return ()
    if words.strip():
        return from_markdown(words).blocks
    return (*description.blocks, *_gaps([question.text for question in readiness.questions]))


def _gaps(questions: Sequence[str]) -> tuple[Block, ...]:
    return tuple(paragraph(f"{question} {GAP}") for question in questions)
