"""What tokens cost: known models to the micro-unit, unknown ones unknown."""

from decimal import Decimal

import pytest

from app.adapters.prices import PriceList, Rates, price


@pytest.mark.parametrize(
    ("model", "micro"),
    [
        ("claude-opus-5-5", 120_000),
        ("claude-opus-4-8", 157_500),
        ("claude-sonnet-5-5", 60_000),
        ("claude-haiku-5-5", 3_150),
        ("claude-haiku-4-5", 31_500),
    ],
)
def test_the_list_price_of_one_call(model: str, micro: int) -> None:
    assert price(model, fresh=1000, written=2000, read=30_000, out=5000) == micro


def test_an_hour_in_the_cache_costs_more() -> None:
    assert price("claude-opus-5-5", written=1_000_000) == 5_000_000
    assert price("claude-opus-5-5", written_long=1_000_000) == 8_000_000
    assert price("claude-opus-5-5", written=500_000, written_long=500_000) == 6_500_000


def test_a_long_prompt_of_a_model_with_steps_costs_the_higher_step() -> None:
    short, long = price("claude-haiku-5-5", fresh=100_000), price("claude-haiku-5-5", fresh=100_001)
    assert short == 10_000
    assert long is not None
    assert long > 4 * short


@pytest.mark.parametrize("model", ["", "claude-unheard-of", "gpt-5", "opus"])
def test_an_unknown_model_has_an_unknown_price(model: str) -> None:
    assert price(model, fresh=1) is None


def test_parts_of_a_micro_unit_are_rounded_up() -> None:
    assert price("claude-haiku-5-5", read=1) == 1


def test_an_own_table_comes_first() -> None:
    rates = Rates(Decimal(1), Decimal(2), Decimal(3), Decimal("0.5"), Decimal(4))
    prices = PriceList({"ours": rates})
    assert prices("ours", fresh=1, written=1, written_long=1, read=3, out=1) == 12
    assert prices("claude-opus-5-5", fresh=1) == 4
    assert prices("claude-unheard-of") is None
