"""A benchmark's result: printed as a table, kept as JSON if that is wanted."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.distribution import figures

RESULTS = Path(__file__).with_name("results")


@dataclass(frozen=True, slots=True)
class Line:
    """Measured values of one kind, in seconds. goal: (figure, most), reached or not."""

    title: str
    values: list[float]
    goal: tuple[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What a benchmark gives back. notes: facts beside the values."""

    name: str
    about: str
    lines: list[Line]
    notes: dict[str, Any] = field(default_factory=dict)


def show(console: Console, report: Report, machine: Mapping[str, Any]) -> None:
    table = Table(title=f"{report.name}: {report.about}", title_justify="left")
    table.add_column("seconds")
    names = ("n", "p50", "p95", "p99", "max")
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("goal")
    for line in report.lines:
        found = figures(line.values)
        shown = [f"{found[name]:.3f}" if name != "n" else f"{found[name]:.0f}" for name in names]
        table.add_row(line.title, *shown, _goal(line))
    console.print(table)
    for title, said in (("beside it", report.notes), ("machine", machine)):
        if said:
            words = ", ".join(f"{name} {value}" for name, value in said.items())
            console.print(f"{title}: {words}", soft_wrap=True, highlight=False)


def _goal(line: Line) -> str:
    if line.goal is None:
        return ""
    figure, most = line.goal
    reached = figures(line.values)[figure] <= most
    return f"{figure} ≤ {most:g}: " + ("[green]reached" if reached else "[red]not reached")


def save(report: Report, machine: Mapping[str, Any]) -> Path:
    """Every single value, so that other figures can be made of them later."""
    RESULTS.mkdir(exist_ok=True)
    at = datetime.now(UTC)
    file = RESULTS / f"{report.name}-{at:%Y%m%d-%H%M%S}.json"
    file.write_text(
        json.dumps({"at": f"{at:%FT%TZ}", "machine": machine, **asdict(report)}, indent=1)
    )
    return file
