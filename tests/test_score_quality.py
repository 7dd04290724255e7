"""The page on the score's quality: it says what the checklist says today, mistakes included."""

from __future__ import annotations

import re
from functools import cache
from itertools import product
from typing import Any

import pytest

from app.core.criteria import CRITERIA
from app.core.rubric import RUBRIC
from bench.score_gold import SAMPLES, Compared, compared, counts, wrong
from bench.score_page import Run, listed, page
from bench.score_quality import PAGE

RUNS = [pytest.param(sample, typed) for sample, typed in product(SAMPLES, (False, True))]
OLD = "the checklist has changed since: run `make bench-score`, then read what changed on the page"


@cache
def judged(sample: str, *, typed: bool) -> Run:
    return Run(sample, typed, {}, compared(sample, typed=typed))


def table(text: str, title: str) -> dict[str, list[str]]:
    """The rows under a heading by their first cell."""
    part = text.split(f"### {title.capitalize()}\n")[1].split("\n#")[0]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in part.splitlines()]
    return {row[0].strip("`"): row for row in rows if len(row) > 1}


@pytest.mark.shared
@pytest.mark.parametrize(("sample", "typed"), RUNS)
def test_the_page_counts_what_the_checklist_says_now(sample: str, typed: bool) -> None:
    run = judged(sample, typed=typed)
    told = table(PAGE.read_text(), run.title)
    for name, found in counts(run.pairs).items():
        seen = [str(n) for n in (found.labels, found.flaws, found.flagged, found.right)]
        assert told[name][1:5] == seen, f"{name}: {OLD}"
        precision = f"{found.right / found.flagged:.3f} [" if found.flagged else "–"
        assert told[name][6].startswith(precision), f"{name}: {OLD}"
        assert told[name][7] == (f"{found.right / found.flaws:.3f}" if found.flaws else "–")


@pytest.mark.shared
def test_every_wrong_finding_is_on_the_page() -> None:
    runs = [judged(sample, typed=typed) for sample, typed in product(SAMPLES, (False, True))]
    text = PAGE.read_text()
    for said in ("unmet", "met"):
        assert listed(runs, said) in text, OLD
    assert f"The {RUBRIC} beside" in text, OLD


def test_the_page_holds_no_text_of_a_ticket() -> None:
    """Ids, names of criteria, places and numbers: nothing that somebody wrote in a ticket."""
    mistakes = PAGE.read_text().split("## Findings that were wrong")[1]
    cells = (
        r"(natural|enriched) \| `[a-z_]+` \| [a-z]-[a-z]+-[A-Z]+-\d+ \| (–|\d+–\d+) "
        r"\| (un)?(met|not applicable) \| (no type|type given)( and type given)?"
    )
    rows = [line for line in mistakes.splitlines() if line.startswith(("| natural", "| enriched"))]
    assert all(re.fullmatch(rf"\| {cells} \|", row) for row in rows)


PAIRS = (
    Compared("t-1", "vague", "unmet", "unmet", ((0, 4),)),
    Compared("t-2", "vague", "met", "unmet", ((3, 9),)),
    Compared("t-3", "vague", "unmet", "silent", ()),
    Compared("t-1", "outcome", "unmet", "met", ((0, 4),)),
    Compared("t-2", "reason", "not_applicable", "unmet", ()),
)


def test_counts_and_mistakes() -> None:
    found = counts(PAIRS)["vague"]
    assert (found.labels, found.flaws, found.flagged, found.right) == (3, 2, 2, 1)
    assert [(pair.ticket, pair.criterion) for pair in wrong(PAIRS, "unmet")] == [
        ("t-2", "reason"),
        ("t-2", "vague"),
    ]
    assert [pair.ticket for pair in wrong(PAIRS, "met")] == ["t-1"]


def result(precision: float, kappa: float, pairs: float, problems: int) -> dict[str, Any]:
    row = {
        "n": 50,
        "flaws": 25,
        "not_applicable": 0,
        "flagged": 20,
        "flagged_unclear": 1,
        "precision": precision,
        "precision_ci": [0.8, 1.0],
        "recall": 0.6,
        "kappa": kappa,
        "met_said": 0,
        "met_precision": None,
    }
    whole = {"flagged": 20, "precision": precision, "precision_ci": [0.8, 1.0], "recall": 0.6}
    return {
        "gold": {
            "per_criterion": [{**row, "criterion": c.name} for c in CRITERIA],
            "all": whole,
            "ready": {"spearman": 0.61},
        },
        "operation": {
            "deterministic": True,
            "order_independent": True,
            "tickets_per_cpu_s": 900.0,
            "peak_mb": 40.0,
            "quotes": {"verbatim": 1.0},
        },
        "measures": [{"name": "pairs (x)", "n": 9, "value": pairs, "ci": [0, 1], "length": None}],
        "jira_sample": {"quantiles_5_25_50_75_95": [1.0, 2.0, 3.0, 4.0, 5.0]},
        "problems": ["line 1"] * problems,
    }


@pytest.mark.parametrize(
    ("made", "missed"),
    [
        (result(0.95, 0.51, 0.85, 0), []),
        (result(0.94, 0.51, 0.85, 0), ["findings that are right"]),
        (
            result(0.89, 0.5, 0.84, 1),
            [
                "findings that are right",
                "the worst criterion with 20 findings",
                "lowest kappa with 20 labels of both kinds",
                "pairs, length-matched",
                "answers that broke the contract",
            ],
        ),
    ],
)
def test_a_goal_that_is_missed_is_said(made: dict[str, Any], missed: list[str]) -> None:
    good = Run("natural", False, result(0.99, 0.9, 0.9, 0) | {"problems": made["problems"]}, PAIRS)
    told = page([Run("enriched", True, made, PAIRS), good])
    rows = [line.split(" | ") for line in told.splitlines() if line.endswith("| **no** |")]
    assert [row[0].removeprefix("| ") for row in rows] == missed
    assert "| enriched | `vague` | t-2 | 3–9 | met | type given |" in told
