import unittest
from decimal import Decimal

from billing.csv_export import export
from billing.invoice import Invoice


def invoice(number="R-1", customer="A customer", amount="10", note=""):
    return Invoice(number, customer, Decimal(amount), note)


class ExportTest(unittest.TestCase):
    def test_header_comes_first(self):
        self.assertEqual(export([]).splitlines()[0], "number,customer,amount,note")

    def test_one_line_for_each_invoice(self):
        text = export([invoice("R-1"), invoice("R-2", amount="12.5")])
        self.assertEqual(
            text.splitlines()[1:3], ["R-1,A customer,10.00,", "R-2,A customer,12.50,"]
        )

    def test_number_that_comes_twice_is_written_once(self):
        text = export([invoice("R-1"), invoice("R-1", note="again")])
        self.assertEqual(text.count("R-1"), 1)
        self.assertNotIn("again", text)

    def test_lines_end_as_rfc_4180_says(self):
        self.assertTrue(export([invoice()]).endswith("\r\n"))
