"""What the rehearsal agent knows to do: one recipe for each open ticket of the sample repository.

A recipe is taken only if every one of its needs is said in the ticket; else a plan is all there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

WRITER = "billing/csv_export/writer.py"
TESTS = "tests/test_writer.py"


class NotAsExpected(Exception):
    """The worktree is not as the recipe knows it; the message is for the run's report."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """`percent` scales what the work is said to cost; `old` becomes `new` in the writer."""

    name: str
    percent: int
    needs: tuple[str, ...]
    old: str
    new: str
    test: str
    said: str


QUOTING = Recipe(
    name="quoting",
    percent=100,
    needs=(r"\bcsv export", r"\bcommas?\b", r"\bdouble quotes?\b", r"\bline breaks?\b"),
    old="""\
def field(text):
    \"\"\"One field as it stands in the file.\"\"\"
    return text
""",
    new="""\
def field(text):
    \"\"\"One field as it stands in the file, quoted where RFC 4180 asks for it.\"\"\"
    if any(sign in text for sign in ',"\\r\\n'):
        return '"' + text.replace('"', '""') + '"'
    return text
""",
    test="""
    def test_comma_quote_and_line_break_are_quoted(self):
        text = export([invoice(customer="North, South", note='says "now",\\nby phone')])
        self.assertEqual(
            text.split("\\r\\n")[1], 'R-1,"North, South",10.00,"says ""now"",\\nby phone"'
        )

    def test_field_that_needs_no_quotes_gets_none(self):
        self.assertNotIn('"', export([invoice(customer="North")]))
""",
    said="Fields with a comma, a double quote or a line break are now quoted as RFC 4180 says; "
    "two tests were added.",
)

SPEED = Recipe(
    name="speed",
    percent=150,
    needs=(r"\bcsv export", r"\b60[ ,.]?000 invoices\b", r"\b2 ?s(econds)?\b"),
    old="""\
    seen = []
    for invoice in invoices:
        if invoice.number not in seen:
            seen.append(invoice.number)
            yield invoice
""",
    new="""\
    seen = set()
    for invoice in invoices:
        if invoice.number not in seen:
            seen.add(invoice.number)
            yield invoice
""",
    test="""
    def test_many_invoices_are_quick(self):
        start = time.perf_counter()
        export([invoice(f"R-{n}") for n in range(60_000)])
        self.assertLess(time.perf_counter() - start, 2)
""",
    said="The search for numbers that come twice no longer slows down with every line: 60,000 "
    "invoices take well under 2 seconds; one test was added.",
)

TOTALS = Recipe(
    name="totals",
    percent=80,
    needs=(r"\bcsv export", r"\blast line\b", r"\bnumber of invoices\b", r"\bsum\b"),
    old="""\
    lines = [line(HEADER)]
    for invoice in once(invoices):
        amount = f"{invoice.amount:.2f}"
        lines.append(line((invoice.number, invoice.customer, amount, invoice.note)))
    return "".join(lines)
""",
    new="""\
    lines, total = [line(HEADER)], Decimal(0)
    for invoice in once(invoices):
        amount = f"{invoice.amount:.2f}"
        lines.append(line((invoice.number, invoice.customer, amount, invoice.note)))
        total += invoice.amount
    lines.append(line(("total", f"{len(lines) - 1} invoices", f"{total:.2f}", "")))
    return "".join(lines)
""",
    test="""
    def test_last_line_is_the_total(self):
        text = export([invoice("R-1", amount="10.10"), invoice("R-2", amount="20.25")])
        self.assertEqual(text.splitlines()[-1], "total,2 invoices,30.35,")
""",
    said="The export ends with the number of invoices and the sum of their amounts; "
    "one test was added.",
)

RECIPES = (QUOTING, SPEED, TOTALS)

_IMPORTS = {
    "speed": (TESTS, "import unittest\n", "import time\nimport unittest\n"),
    "totals": (
        WRITER,
        'one line for each invoice."""\n\n',
        'one line for each invoice."""\n\nfrom decimal import Decimal\n\n',
    ),
}


def find_recipe(prompt: str) -> Recipe | None:
    """The recipe whose every need the ticket says, whatever its case, markup and line ends."""
    said = " ".join(re.sub(r"[*_`{}]+", " ", prompt.lower()).split())
    for recipe in RECIPES:
        if all(re.search(need, said) for need in recipe.needs):
            return recipe
    return None


def change_writer(recipe: Recipe, worktree: Path) -> None:
    _replace(worktree, WRITER, recipe.old, recipe.new)
    if recipe.name in _IMPORTS and _IMPORTS[recipe.name][0] == WRITER:
        _replace(worktree, *_IMPORTS[recipe.name])


def add_tests(recipe: Recipe, worktree: Path) -> None:
    path = inside(worktree, TESTS)
    text = _read(path, TESTS)
    if recipe.test not in text:
        path.write_text(text + recipe.test, encoding="utf-8")
    if recipe.name in _IMPORTS and _IMPORTS[recipe.name][0] == TESTS:
        _replace(worktree, *_IMPORTS[recipe.name])


def write_plan(worktree: Path, key: str, prompt: str) -> str:
    """A plan instead of a change, for a ticket that no recipe fits. Its path in the worktree."""
    relative = f"rehearsal/{re.sub(r'[^A-Za-z0-9-]', '_', key)}.md"
    path = inside(worktree, relative)
    path.parent.mkdir(exist_ok=True)
    first = next((line.strip() for line in prompt.splitlines() if line.strip()), "no text")
    path.write_text(
        f"# {key}: plan of a rehearsal\n\n"
        "The rehearsal agent has no model and knows no recipe for this ticket. A coding agent "
        "would now read the code, change it and run the tests.\n\n"
        f"The task begins: {first[:200]}\n",
        encoding="utf-8",
    )
    return relative


def inside(worktree: Path, relative: str) -> Path:
    """The repository may bring links that lead out of it; nothing is written through one."""
    path = worktree / relative
    if path.is_symlink() or not path.resolve().is_relative_to(worktree.resolve()):
        raise NotAsExpected(f"{relative} leads out of the repository")
    return path


def _replace(worktree: Path, relative: str, old: str, new: str) -> None:
    path = inside(worktree, relative)
    text = _read(path, relative)
    if new in text:
        return  # an interrupted attempt came this far
    if text.count(old) != 1:
        raise NotAsExpected(f"{relative} is not as the recipe knows it")
    path.write_text(text.replace(old, new), encoding="utf-8")


def _read(path: Path, relative: str) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise NotAsExpected(f"{relative} cannot be read ({error.strerror})") from error
