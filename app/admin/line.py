"""One thing that was looked at, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

State = Literal["ok", "warn", "fault"]


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. `next`: what to do about it; empty where all is well."""

    state: State
    subject: str
    text: str
    next: str = ""
