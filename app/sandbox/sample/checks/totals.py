"""Does the export end with the number of invoices and the sum of their amounts?"""

import sys
from decimal import Decimal

from billing.csv_export import export
from billing.invoice import Invoice


def main():
    invoices = [
        Invoice("R-1", "A customer", Decimal("10.10")),
        Invoice("R-2", "A customer", Decimal("20.25")),
        Invoice("R-2", "A customer", Decimal("20.25")),
    ]
    last = export(invoices).splitlines()[-1]
    if last != "total,2 invoices,30.35,":
        print(f"wanted the last line 'total,2 invoices,30.35,', got {last!r}")
        return 1
    print("the last line is the total")
    return 0


if __name__ == "__main__":
    sys.exit(main())
