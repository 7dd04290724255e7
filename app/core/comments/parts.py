"""The fold of the readiness comment that proposes to split a ticket, and what was made of it."""

from __future__ import annotations

from collections.abc import Sequence

from app.core.comments.phrases import count, listed, short, steps
from app.core.split import Part
from app.core.text import Block, expand, paragraph


def split_fold(parts: Sequence[Part]) -> Block:
    """The sub-tasks in the author's words and order. Nothing is made before somebody asks."""
    title = f"A split into {count(len(parts), 'sub-task', 'sub-tasks')}, in your own words"
    return expand(
        title,
        steps(_told(part) for part in parts),
        paragraph('To have them made: "agent split". Each gets what the parts share as well.'),
    )


def _told(part: Part) -> str:
    after = f" (after {listed([str(number) for number in part.after])})" if part.after else ""
    return short(part.summary, 160) + after


def made_line(keys: Sequence[str]) -> Block:
    return paragraph(f"It was split into {listed(list(keys))}. None of them is labelled.")
