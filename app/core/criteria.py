"""What makes a text ready for an agent that cannot ask: the words of the rubric, no rules yet."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Status = Literal["met", "unmet", "not_applicable", "silent"]
Quote = tuple[int, int]
Aside = Literal["", "hidden", "lifted"]
"""Whether a person has called a finding wrong, and whether that takes the weight off a must-have.
"""


@dataclass(frozen=True, slots=True)
class Finding:
    """One judged criterion. `quotes` are (start, end) offsets into the judged text, `found` is the
    first of them verbatim or empty; silence says only that no rule was sure.

    withheld: silent, and nothing in the text speaks for it, so that it earns no points: else a text
    would gain by mere length.
    """

    criterion: str
    status: Status
    quotes: tuple[Quote, ...] = ()
    found: str = ""
    looked_for: str = ""
    repair: str = ""
    aside: Aside = ""
    withheld: bool = False


@dataclass(frozen=True, slots=True)
class Criterion:
    """A row of the rubric. `asks` is its statement; `question` and `example` are for the author.

    For a `flaw` the criterion holds when nothing is found, for the others when a quote is.
    """

    name: str
    title: str
    asks: str
    weight: int
    looked_for: str
    repair: str
    question: str
    example: str
    defects_only: bool = False
    flaw: bool = False
    must_have: bool = False


CRITERIA = (
    Criterion(
        "outcome",
        "Outcome",
        "The text says what will be different when the work is done.",
        15,
        "a sentence with should or must, a wanted result, or a change that is named",
        "Add one sentence: when this is done, ... does ...",
        "What will be different when this is done?",
        'the settings page has a switch "Dark mode", off by default',
        must_have=True,
    ),
    Criterion(
        "reason",
        "Reason",
        "It says why or for whom: a benefit, a user, a harm done today.",
        4,
        "a benefit, a user or a harm (because, so that, customers, hard to)",
        "Add half a sentence: so that ..., or: today ... have to ...",
        "Who needs it, and why?",
        "accounting: today they repair 30 rows by hand every month",
    ),
    Criterion(
        "acceptance",
        "Acceptance",
        "At least one check that another person could carry out and that passes or fails.",
        24,
        "acceptance criteria, given/when/then, an expected result, X should return Y",
        "Add a list of acceptance criteria: given ..., the result is ...",
        "How will someone see that it is done?",
        "given three rows, the file has four lines and the first one holds the column names",
        must_have=True,
    ),
    Criterion(
        "observed_expected",
        "Observed and expected",
        "Both what happens and what should happen are in the text.",
        6,
        "what happens now, and beside it what should happen (expected, should, instead)",
        "Add two lines: Actual: ... Expected: ...",
        "What should happen instead?",
        'Expected: the list opens empty, with the hint "No invoices yet"',
        defects_only=True,
    ),
    Criterion(
        "reproduction",
        "Reproduction",
        "Steps, an input, a command or code that bring the fault about.",
        6,
        "steps, an input, a command or code",
        "Add the steps: 1. open ... 2. click ... 3. see ...",
        "How can the fault be brought about?",
        '1. open an invoice without lines 2. click "Print"',
        defects_only=True,
    ),
    Criterion(
        "location",
        "Location",
        "A place in code or product to start from.",
        12,
        "a file, class, function, endpoint, command, setting, page or component",
        "Name one place: a file, a class, a page, a command.",
        "Where does this take place?",
        'the page "Invoices", or app/invoice/mailer.py',
        must_have=True,
    ),
    Criterion(
        "bounded",
        "End",
        "One change with an end; the reader knows where to stop.",
        6,
        "a demand with an end, or a line that says what is out of scope",
        "List what belongs to it, and one line: Out of scope: ...",
        "Where does it end?",
        "only the CSV export; the PDF export stays as it is",
    ),
    Criterion(
        "verification",
        "Verification",
        "How to check it: tests to write or run, commands, environment, data.",
        4,
        "tests to write or run, a command, an environment, test data",
        "Add one line: Check with: python -m pytest tests/...",
        "How can it be checked?",
        'the tests in tests/export, started with "python -m pytest tests/export"',
    ),
    Criterion(
        "open_decision",
        "Open decision",
        "All choices are made.",
        12,
        "choices that are left open (TBD, should we, maybe, or)",
        "Replace the question by its answer.",
        "What is decided?",
        "yes, in the background, with a mail when it is done",
        flaw=True,
    ),
    Criterion(
        "outside_source",
        "Outside source",
        "The text stands on its own.",
        8,
        "something essential that is only in a link, attachment, chat or other ticket",
        "Copy the two or three sentences that matter into the description.",
        "What matters in it?",
        "copy the sentences that matter into the description",
        flaw=True,
    ),
    Criterion(
        "bundle",
        "Bundle",
        "It is one change.",
        4,
        "several separate changes that could be tickets of their own",
        "Keep one of them here and make a ticket of each other one.",
        "Which one of these is this ticket about?",
        "this ticket: the wrong header; the rest gets tickets of its own",
        flaw=True,
    ),
    Criterion(
        "vague",
        "Vague",
        "The demand can be measured, or is made so in the text.",
        12,
        "improve, better, clean up and the like without any measure",
        "Replace the word by a number or by what a person will see.",
        "How would someone see that it is better?",
        "three clicks instead of seven",
        flaw=True,
    ),
)
BY_NAME = {criterion.name: criterion for criterion in CRITERIA}
DEFAULT_MUST_HAVES = frozenset(c.name for c in CRITERIA if c.must_have)
