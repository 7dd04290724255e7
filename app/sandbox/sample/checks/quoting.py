"""Does a CSV reader get back what was exported, commas, quotes and line breaks included?"""

import csv
import io
import sys
from decimal import Decimal

from billing.csv_export import export
from billing.invoice import Invoice


def main():
    invoice = Invoice("R-1", 'North, South & Partners', Decimal("10"), 'called "urgent",\nby phone')
    rows = list(csv.reader(io.StringIO(export([invoice]), newline="")))
    wanted = [invoice.number, invoice.customer, "10.00", invoice.note]
    if rows[1:2] != [wanted]:
        print(f"wanted {wanted}, a reader gets {rows[1:2]}")
        return 1
    print("a reader gets back what was exported")
    return 0


if __name__ == "__main__":
    sys.exit(main())
