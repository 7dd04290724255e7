"""What tokens cost, from the offline price list of genai-prices and an admin's own table.

An unknown model has an unknown cost, None; never 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from importlib.metadata import version

from app.core.money import MICRO

VERSION = f"genai-prices {version('genai-prices')}"
"""Kept with each hold, so that one knows later what it was worked out by."""


@dataclass(frozen=True, slots=True)
class Rates:
    """Dollars for a million tokens: the same figure as micro-units for one."""

    fresh: Decimal
    written: Decimal
    written_long: Decimal
    read: Decimal
    out: Decimal


def price(
    model: str,
    *,
    fresh: int = 0,
    written: int = 0,
    written_long: int = 0,
    read: int = 0,
    out: int = 0,
) -> int | None:
    """Micro-units, rounded up, of one request at list price; None when the model is unknown.

    fresh: input outside the cache. written, written_long: into the cache for 5 minutes, 1 hour.
    """
    from genai_prices import Usage, calc_price

    usage = Usage(
        input_tokens=fresh + written + written_long + read,
        cache_read_tokens=read,
        cache_write_tokens=written + written_long,
        cache_write_1h_tokens=written_long,
        output_tokens=out,
    )
    try:
        total = calc_price(usage, model, provider_id="anthropic").total_price
    except LookupError:
        return None
    return _up(total * MICRO)


class PriceList:
    """The public list, with some models at an admin's own rates."""

    def __init__(self, own: Mapping[str, Rates]) -> None:
        self._own = dict(own)

    def __call__(
        self,
        model: str,
        *,
        fresh: int = 0,
        written: int = 0,
        written_long: int = 0,
        read: int = 0,
        out: int = 0,
    ) -> int | None:
        rates = self._own.get(model)
        if rates is None:
            return price(
                model, fresh=fresh, written=written, written_long=written_long, read=read, out=out
            )
        return _up(
            fresh * rates.fresh
            + written * rates.written
            + written_long * rates.written_long
            + read * rates.read
            + out * rates.out
        )


def _up(micro: Decimal) -> int:
    return math.ceil(micro)
