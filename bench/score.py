"""How fast the checklist judges: real tickets, bad input, and how its time grows with a text."""

from __future__ import annotations

import resource
import time
from collections.abc import Callable

from rich.progress import Progress

from app.core.scoring_lines import score_line
from bench.report import Line, Report
from bench.score_gold import tickets
from bench.score_inputs import BAD, GROWING, LARGE

GOAL = ("p50", 1 / 500)
BAD_GOAL = ("p50", 0.05)
BEFORE_LAST, LAST = 12_500, 50_000
"""Letters of a growing text: four times as long may take little more than four times as long."""


def run(progress: Progress, runs: int) -> Report:
    """Processor time on one core, reading of the markup included; `runs` times each."""
    given = [*tickets("natural"), *tickets("enriched")]
    bad = {name: {"summary": "Export", "description": text} for name, text in (BAD | LARGE).items()}
    task = progress.add_task("judging", total=runs * (len(given) + len(bad)) + len(GROWING))
    took: dict[str, list[float]] = {"a real ticket": []}
    for _ in range(runs):
        for ticket in given:
            took["a real ticket"].append(_timed(lambda: score_line(ticket)))  # noqa: B023
            progress.advance(task)
        for name, text in bad.items():
            took.setdefault(name, []).append(_timed(lambda: score_line(text)))  # noqa: B023
            progress.advance(task)
    lines = [
        Line(name, values, GOAL if name == "a real ticket" else BAD_GOAL)
        for name, values in took.items()
    ]
    ratios = {}
    for unit in GROWING:
        ratios[unit] = _growth(unit)
        progress.advance(task)
    steepest = max(ratios, key=lambda unit: ratios[unit])
    real = took["a real ticket"]
    notes = {
        "tickets a second on one core": round(len(real) / sum(real)),
        "most memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "four times the text takes": f"{ratios[steepest]:.1f} times as long at most ({steepest!r})",
    }
    return Report("score", "the checklist on one core, in processor time", lines, notes)


def _growth(unit: str) -> float:
    shorter, longer = (
        min(_timed(lambda: score_line(line)) for _ in range(3))  # noqa: B023
        for line in (
            {"summary": "Fix the export page", "description": unit * (length // len(unit))}
            for length in (BEFORE_LAST, LAST)
        )
    )
    return longer / shorter


def _timed(judge: Callable[[], object]) -> float:
    started = time.process_time()
    judge()
    return time.process_time() - started
