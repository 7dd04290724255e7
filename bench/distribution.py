"""Many measured values in a few figures."""

from __future__ import annotations

import math
from collections.abc import Sequence


def quantile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of all values do not exceed: one that was really measured."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def figures(values: Sequence[float]) -> dict[str, float]:
    """n, p50, p95, p99, max."""
    named = {f"p{share}": quantile(values, share / 100) for share in (50, 95, 99)}
    return {"n": float(len(values)), **named, "max": max(values)}
