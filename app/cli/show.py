"""What commands print: a sentence, a table, or one JSON document."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import typer

WIDE = 10_000
"""Columns of a pipe or file: nothing there is broken into lines."""


def document(value: Any) -> None:
    """ASCII, as the reader's character set is not known. Times are ISO 8601 in UTC."""
    typer.echo(json.dumps(value, indent=2, default=_as_text))


def _as_text(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    return str(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]], *, right: Sequence[str] = ()) -> None:
    """Columns as wide as they need to be; those in `right` hold numbers."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    shown = Table(box=None, pad_edge=False, header_style="bold")
    for name in head:
        shown.add_column(name, justify="right" if name in right else "left", overflow="fold")
    for row in rows:
        shown.add_row(*(Text(cell) for cell in row))
    width = None if sys.stdout.isatty() else WIDE
    Console(width=width, highlight=False, markup=False, emoji=False).print(shown)


def amount(micro: int | None) -> str | None:
    """For programs: an exact decimal, "3.000000"; None where there is no limit."""
    return None if micro is None else f"{Decimal(micro) / 1_000_000:.6f}"


def moment(value: datetime | None, zone: str = "UTC") -> str:
    """For people: to the minute, with the zone."""
    from zoneinfo import ZoneInfo

    return "" if value is None else f"{value.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M %Z}"
