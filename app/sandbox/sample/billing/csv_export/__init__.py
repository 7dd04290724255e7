"""Invoices as CSV for a spreadsheet."""

from billing.csv_export.writer import export

__all__ = ["export"]
