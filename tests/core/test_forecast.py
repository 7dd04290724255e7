"""The forecast of money: its figures, where they come from, and how they are told."""

from __future__ import annotations

import math
import random
from statistics import median

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.forecast import (
    ENOUGH,
    Basis,
    Forecast,
    Like,
    forecast,
    quantiles,
    t_quantile,
    told,
    two_digits,
)


@pytest.mark.parametrize(  # from tables of Student's t
    ("p", "degrees", "t"),
    [
        (0.9, 1, 3.0776835372),
        (0.9, 2, 1.8856180832),
        (0.9, 3, 1.6377443537),
        (0.9, 23, 1.3194602398),
        (0.9, 103, 1.2898248841),
        (0.95, 10, 1.8124611228),
        (0.975, 4, 2.7764451052),
        (0.5, 7, 0.0),
    ],
)
def test_the_quantile_is_that_of_the_tables(p: float, degrees: int, t: float) -> None:
    assert t_quantile(p, degrees) == pytest.approx(t, abs=1e-7)


def test_before_the_first_run() -> None:
    assert told(forecast([], "BILL", 500)) == (
        "about $0.26, rarely above $1.70 (starting value, not your data: 0 of 20 like tickets)"
    )
    p50, p90 = quantiles([])
    assert (round(p50, -4), round(p90, -4)) == (260_000, 1_720_000)


SIMULATED = [  # true median in dollars; tickets seen: share of new costs <= p90, median p90
    (0.26, {0: (0.970, 1.72), 5: (0.906, 1.02), 10: (0.895, 0.98), 20: (0.898, 0.96)}),
    (0.39, {0: (0.930, 1.72), 5: (0.878, 1.35), 10: (0.886, 1.37), 20: (0.890, 1.38)}),
    (0.78, {0: (0.787, 1.72), 5: (0.861, 2.53), 10: (0.874, 2.66), 20: (0.885, 2.74)}),
]


@pytest.mark.parametrize(("true", "expected"), SIMULATED, ids=lambda value: str(value)[:4])
def test_the_share_below_p90_is_what_was_simulated(
    true: float, expected: dict[int, tuple[float, float]]
) -> None:
    draw = random.Random(7)
    for n, (share, usual) in expected.items():
        found, p90s = [], []
        for _ in range(600 if n else 1):
            costs = [round(1e6 * true * math.exp(draw.gauss(0, 1))) for _ in range(n)]
            p90s.append(quantiles(costs)[1] / 1e6)
            found.append(_below(math.log(p90s[-1] / true)))
        assert sum(found) / len(found) == pytest.approx(share, abs=0.012), n
        assert median(p90s) == pytest.approx(usual, rel=0.06), n


def _below(z: float) -> float:
    return (1 + math.erf(z / math.sqrt(2))) / 2


def many(count: int, cost: int, project: str = "BILL", size: int = 500) -> list[Like]:
    return [Like(project, size, cost, cut=False)] * count


@pytest.mark.parametrize(
    ("like", "basis", "n"),
    [
        (many(19, 1_000_000), "prior", 19),
        (many(20, 1_000_000, project="WEB"), "agent", 20),
        (many(20, 1_000_000) + many(5, 9_000_000, project="WEB"), "size", 20),
        (many(10, 1_000_000) + many(10, 9_000_000, size=9000), "project", 20),
        (many(30, 1_000_000) + many(30, 9_000_000, size=9000), "size", 30),
    ],
)
def test_the_narrowest_cell_with_enough_tickets_counts(
    like: list[Like], basis: Basis, n: int
) -> None:
    found = forecast(like, "BILL", 500)
    assert (found.basis, found.n) == (basis, n)
    assert 800_000 < found.p50 < 2_500_000, "the dear ones of another size or project are not in"


@given(st.lists(st.integers(0, 10**9), max_size=60))
def test_half_is_below_nine_tenths(costs: list[int]) -> None:
    p50, p90 = quantiles(costs)
    assert 0 < p50 < p90


@given(st.lists(st.integers(10_000, 10**9), min_size=1, max_size=40), st.integers(2, 50))
def test_dearer_tickets_never_make_a_cheaper_forecast(costs: list[int], times: int) -> None:
    assert quantiles([cost * times for cost in costs])[0] > quantiles(costs)[0]


@pytest.mark.parametrize(
    ("micro", "text"),
    [
        (3_000, "$0.01"),
        (7_400, "$0.01"),
        (260_000, "$0.26"),
        (604_999, "$0.60"),
        (1_716_000, "$1.70"),
        (9_960_000, "$10"),
        (17_400_000, "$17"),
        (1_740_000_000, "$1,700"),
    ],
)
def test_two_digits_and_no_more(micro: int, text: str) -> None:
    assert two_digits(micro) == text


def test_it_is_told_in_words() -> None:
    own = Forecast(604_000, 1_880_000, "project", 34, 1)
    assert told(own) == "about $0.60, rarely above $1.90"
    cut = Forecast(604_000, 1_880_000, "project", 34, 4)
    assert told(cut) == (
        "about $0.60, in one of ten cases at least $1.90 (4 of 34 were stopped by their cap)"
    )
    assert ENOUGH == 20
