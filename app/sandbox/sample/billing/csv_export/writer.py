"""Writes invoices as CSV: one header line, one line for each invoice."""

HEADER = ("number", "customer", "amount", "note")
END = "\r\n"


def export(invoices):
    """The whole file as text. An invoice number that comes twice is written once."""
    lines = [line(HEADER)]
    for invoice in once(invoices):
        amount = f"{invoice.amount:.2f}"
        lines.append(line((invoice.number, invoice.customer, amount, invoice.note)))
    return "".join(lines)


def once(invoices):
    """The invoices in their order, each number only the first time."""
    seen = []
    for invoice in invoices:
        if invoice.number not in seen:
            seen.append(invoice.number)
            yield invoice


def line(fields):
    return ",".join(field(text) for text in fields) + END


def field(text):
    """One field as it stands in the file."""
    return text
