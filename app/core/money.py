"""Amounts: integers of micro-units of one currency; never a float in a table or a sum."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal, InvalidOperation

MICRO = 1_000_000
LARGEST = 10**15
"""Above a thousand million dollars an amount is a mistake, not a budget."""


NEARLY = 80
"""Per cent of what is set aside from which on a run says what is left to do."""


class InvalidAmount(ValueError):
    """The amount is not one that a person could have meant; says what was read."""


def parse_amount(text: str) -> int:
    """ "3", "3.50" or "$3.50" in micro-units. Raises InvalidAmount below 0, above LARGEST, NaN."""
    try:
        value = Decimal(text.strip().removeprefix("$")) * MICRO
        micro = int(value.to_integral_value())
    except (InvalidOperation, ValueError, OverflowError):
        raise InvalidAmount(f"{text!r} is not an amount of money, such as 3.50") from None
    if micro != value or not 0 <= micro <= LARGEST:
        raise InvalidAmount(f"{text!r} is not an amount between 0 and {LARGEST // MICRO}")
    return micro


def nearly_used(used: int, held: int) -> bool:
    """Whether so much of what was set aside is used that it may not reach."""
    return 0 < held * NEARLY <= used * 100


def show(micro: int | None, currency: str = "USD") -> str:
    """Two decimals for people, never more; an unknown cost reads "unknown", never 0.00."""
    if micro is None:
        return "unknown"
    amount = (Decimal(micro) / MICRO).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    return f"${amount:,}" if currency == "USD" else f"{amount:,} {currency}"
