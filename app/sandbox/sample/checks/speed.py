"""Are 60,000 invoices exported within 2 seconds?"""

import sys
import time
from decimal import Decimal

from billing.csv_export import export
from billing.invoice import Invoice

LIMIT = 2.0


class TooSlow(Exception):
    pass


def watched(invoices, deadline):
    for invoice in invoices:
        if time.perf_counter() > deadline:
            raise TooSlow
        yield invoice


def main():
    invoices = [Invoice(f"R-{n:06}", "A customer", Decimal(n)) for n in range(60_000)]
    start = time.perf_counter()
    try:
        text = export(watched(invoices, start + LIMIT))
    except TooSlow:
        print(f"not done after {LIMIT} s")
        return 1
    took = time.perf_counter() - start
    written = sum(line.startswith("R-") for line in text.splitlines())
    print(f"{written} of {len(invoices)} invoices in {took:.2f} s, limit {LIMIT} s")
    return 0 if took <= LIMIT and written == len(invoices) else 1


if __name__ == "__main__":
    sys.exit(main())
