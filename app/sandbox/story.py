"""The demo's story: the tickets, in the words of people who write them, and how each ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

LABEL = "agent-ready"
BILLING, OPERATIONS = "BILL", "OPS"


@dataclass(frozen=True, slots=True)
class Act:
    """One ticket. `better` is the description it is edited to after its first comment.

    verdict, score: of the text in the end. run: the ending of its run, None = none was let out.
    reason: code of what holds it back. file: what its commit has to change.
    """

    project: str
    title: str
    issue_type: str
    summary: str
    description: str
    verdict: str
    least_score: int
    run: str | None
    better: str | None = None
    reason: str | None = None
    file: str = "billing/csv_export/writer.py"


VAGUE = "The CSV export is slow for big customers. Make it better, maybe in the background? \
See Slack thread."

SPEED = """h3. What happens
The CSV export of 60,000 invoices takes minutes, as {{once}} in {{billing/csv_export/writer.py}} \
looks through a list for every invoice. Big customers get a time-out when they close a month.

h3. What should happen
It stays in the foreground and takes less than 2 seconds for 60,000 invoices.

h3. How to see it
# Make 60,000 invoices with different numbers.
# Call {{export(invoices)}}.

h3. Acceptance criteria
* {{export}} of 60,000 invoices returns in under 2 seconds
* an invoice number that comes twice is still written once
* {{python3 -m unittest}} passes, with a new test for the time
"""

QUOTING = """h3. What happens
The CSV export in {{billing/csv_export/writer.py}} writes a field as it is. A customer called \
"North, South" moves every later column one to the right, and accounting corrects it by hand.

h3. What should happen
A field that contains a comma, a double quote or a line break stands in double quotes, and a \
double quote in it is doubled, as RFC 4180 says. All other fields stay as they are.

h3. Steps
# Export one invoice whose customer is {{North, South}}.
# Open the file: the line has five columns and not four.

h3. Acceptance criteria
* the customer {{North, South}} is written as {{"North, South"}}
* a note with a line break stays one field
* {{python3 -m unittest}} passes, with new tests for these cases
"""

TOTALS = """h3. Why
Operations counts the lines of every CSV export by hand to compare it with the ledger.

h3. What should happen
{{export}} in {{billing/csv_export/writer.py}} writes one last line: the word {{total}}, the \
number of invoices and the sum of their amounts with two decimals. Nothing else changes.

h3. Acceptance criteria
* two invoices of 10.00 and 5.50 end with the line {{total,2 invoices,15.50,}}
* an export without invoices ends with {{total,0 invoices,0.00,}}
* {{python3 -m unittest}} passes, with a new test for the last line
"""

STORY: Mapping[str, Act] = {
    "vague": Act(
        BILLING,
        "a vague ticket: questions come back; once they are answered by an edit, it is let out",
        "Story",
        "Make the CSV export better",
        VAGUE,
        "ready",
        70,
        "Succeeded",
        better=SPEED,
    ),
    "budget": Act(
        OPERATIONS,
        "a fit ticket that its project's budget holds back",
        "Story",
        "CSV export: a last line with the totals",
        TOTALS,
        "ready",
        70,
        None,
        reason="budget",
    ),
    "good": Act(
        BILLING,
        "a good ticket: it runs to a branch, with its cost",
        "Bug",
        "CSV export: quote fields that contain a comma",
        QUOTING,
        "ready",
        70,
        "Succeeded",
    ),
}
