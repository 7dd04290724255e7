"""What a ticket will cost, before an agent starts: from like tickets, and from a starting value
until there are enough of them. Logarithms of costs, a conjugate prior, Student's t.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from app.core.money import MICRO

ENOUGH = 20
"""Like tickets from which on a forecast is called the site's own."""
LEAST = 10_000
"""A cent: what costs less, or nothing, counts as this much, as its logarithm has to exist."""
MANY_CUT = 0.1
"""Share of tickets stopped by their cap above which nobody can say how far costs go."""
Basis = Literal["size", "project", "agent", "prior"]


@dataclass(frozen=True, slots=True)
class Prior:
    """median: micro-units, as measured with four agents on 500 public issues. spread: of the
    logarithm. weight: like tickets that it counts for."""

    median: int = 260_000
    spread: float = 1.0
    weight: int = 3


@dataclass(frozen=True, slots=True)
class Like:
    """A ticket of the same agent whose runs are all settled. cost: of all of them, in
    micro-units. size: characters of its text. cut: its cap stopped it, so it cost at least that."""

    project: str
    size: int
    cost: int
    cut: bool


@dataclass(frozen=True, slots=True)
class Forecast:
    """Half of such tickets cost at most p50, nine of ten at most p90, in micro-units. n: like
    tickets it comes from, of which `cut` were stopped by their cap."""

    p50: int
    p90: int
    basis: Basis
    n: int
    cut: int


STARTING_VALUE = Prior()


def forecast(
    like: Sequence[Like], project: str, size: int, prior: Prior = STARTING_VALUE
) -> Forecast:
    """From the narrowest of these that has enough: tickets of the project and of like size, of
    the project, of the agent. Where none has, all there are, and it is called a starting value."""
    basis, cell = _cell(like, project, size)
    p50, p90 = quantiles([one.cost for one in cell], prior)
    return Forecast(p50, p90, basis, len(cell), sum(one.cut for one in cell))


def _cell(like: Sequence[Like], project: str, size: int) -> tuple[Basis, Sequence[Like]]:
    here = [one for one in like if one.project == project]
    sizes = sorted(one.size for one in like)
    edges = [sizes[len(sizes) * part // 3] for part in (1, 2)] if sizes else []

    def third(of: int) -> int:
        return sum(of >= edge for edge in edges)

    alike = [one for one in here if third(one.size) == third(size)]
    cells: tuple[tuple[Basis, Sequence[Like]], ...]
    cells = (("size", alike), ("project", here), ("agent", like))
    return next((each for each in cells if len(each[1]) >= ENOUGH), ("prior", like))


def quantiles(costs: Sequence[int], prior: Prior = STARTING_VALUE) -> tuple[int, int]:
    """(p50, p90) of the next ticket's cost, in micro-units."""
    logs = [math.log(max(cost, LEAST)) for cost in costs]
    n, n0, m0 = len(logs), prior.weight, math.log(prior.median)
    mean = math.fsum(logs) / n if n else m0
    m = (n * mean + n0 * m0) / (n + n0)
    spread = math.fsum((y - mean) ** 2 for y in logs)
    apart = n * n0 / (n + n0) * (m0 - mean) ** 2
    s = math.sqrt((n0 * prior.spread**2 + spread + apart) / (n0 + n))
    far = t_quantile(0.9, n0 + n) * s * math.sqrt(1 + 1 / (n + n0))
    return round(math.exp(m)), round(math.exp(m + far))


def t_quantile(p: float, degrees: int) -> float:
    """Student's t for a whole number of degrees of freedom; p from 0.5 up."""
    low, high = 0.0, 1.0
    while _t_below(high, degrees) < p:
        low, high = high, 2 * high
    while high - low > 1e-11 * max(1.0, high):
        middle = (low + high) / 2
        low, high = (middle, high) if _t_below(middle, degrees) < p else (low, middle)
    return (low + high) / 2


def _t_below(t: float, degrees: int) -> float:
    """The share below t >= 0: a finite sum of powers of a cosine for whole degrees."""
    angle = math.atan(t / math.sqrt(degrees))
    square = math.cos(angle) ** 2
    odd = degrees % 2
    term = total = 1.0 if degrees > 1 else 0.0
    for k in range(2 + odd, degrees, 2):
        term *= (k - 1) / k * square
        total += term
    within = math.sin(angle) * total
    if odd:
        within = 2 / math.pi * (angle + math.cos(angle) * within)
    return (1 + within) / 2


def told(found: Forecast) -> str:
    """ "about $0.60, rarely above $1.90": never one number alone, never more than two digits."""
    low, high = two_digits(found.p50), two_digits(found.p90)
    text = f"about {low}, rarely above {high}"
    if found.cut > MANY_CUT * found.n:
        cut = f"{found.cut} of {found.n} were stopped by their cap"
        text = f"about {low}, in one of ten cases at least {high} ({cut})"
    if found.basis == "prior":
        text += f" (starting value, not your data: {found.n} of {ENOUGH} like tickets)"
    return text


def two_digits(micro: int) -> str:
    """ "$0.26", "$1.70", "$17", "$170": the two digits that a forecast is worth."""
    micro = max(LEAST, micro)
    step = max(LEAST, 10 ** (len(str(micro)) - 2))
    rounded = (micro + step // 2) // step * step
    return f"${rounded / MICRO:,.2f}" if rounded < 10 * MICRO else f"${rounded // MICRO:,}"
