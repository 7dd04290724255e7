from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.money import LARGEST, InvalidAmount, parse_amount, show


@pytest.mark.parametrize(
    ("text", "micro"),
    [("3", 3_000_000), ("$3.50", 3_500_000), ("0", 0), ("0.000001", 1), (" 12.10 ", 12_100_000)],
)
def test_amounts_that_people_mean(text: str, micro: int) -> None:
    assert parse_amount(text) == micro


@pytest.mark.parametrize(
    "text", ["", "-1", "NaN", "inf", "1e30", "three", "1.0000001", "1,5", "$", "--1", "9" * 5000]
)
def test_amounts_that_nobody_means(text: str) -> None:
    with pytest.raises(InvalidAmount):
        parse_amount(text)


@given(st.integers(0, LARGEST))
def test_what_is_shown_is_what_is_meant_to_a_cent(micro: int) -> None:
    shown = parse_amount(show(micro).replace(",", ""))
    assert abs(shown - micro) <= 5_000


def test_unknown_is_never_zero() -> None:
    assert show(None) == "unknown"
    assert show(0) == "$0.00"
    assert show(1_234_567_890, "EUR") == "1,234.57 EUR"
