"""One invoice, as the exports see it."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True)
class Invoice:
    number: str
    customer: str
    amount: Decimal
    note: str = ""
