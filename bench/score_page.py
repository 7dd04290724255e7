"""The page on how good the score is, from what the evaluator found. Same findings, same bytes:
speed and memory stand in it as goals reached or not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from app.core.criteria import BY_NAME
from app.core.rubric import RUBRIC
from bench.score_gold import Compared, wrong

HEAD = """\
# How good the score is

Written by `make bench-score`; change the rules, not this page.

The {rubric} beside labels of real Jira tickets: *natural* are 100 tickets as they come,
*enriched* are 120 rich in flaws. Each is judged without a type and with the type that it would
have in Jira. A language model read every ticket twice with a written guide, as the engineer who
gets it and can ask nobody; only labels on which both readings agreed count. That is no proof of
how far experts would agree, and the tickets come from eleven open projects: yours will differ.

What the checklist says is meant to be right; what it does not say is left open. So precision
comes first: of the flaws it names, how many are flaws by the labels. Silence costs recall, and
that is the price. The score does not predict whether an agent succeeds."""
FEW = 20
"""A criterion with fewer findings or labels has no goal of its own: the interval is too wide."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the evaluator, and the single findings that its counts are made of."""

    sample: str
    typed: bool
    result: dict[str, Any]
    pairs: tuple[Compared, ...]

    @property
    def title(self) -> str:
        return f"{self.sample}, {'type given' if self.typed else 'no type'}"


def page(runs: Sequence[Run]) -> str:
    parts = [
        HEAD.format(rubric=RUBRIC),
        *("## Goals", _goals(runs)),
        *("## Single criteria", *_criteria(runs)),
        *("## The score", _score(runs[0])),
        *("## Findings that were wrong", *_mistakes(runs)),
    ]
    return "\n\n".join(parts) + "\n"


# Goals


def _goals(runs: Sequence[Run]) -> str:
    rows = [
        _goal("findings that are right", "≥ 0.95", runs, _precision, lambda v, _: v >= 0.95),
        _goal(f"the worst criterion with {FEW} findings", "≥ 0.90", runs, _worst, _at_least_90),
        _goal("flaws that are found", "≥ 0.50", runs, _recall, lambda v, _: v >= 0.50),
        _goal("the same, mean of the criteria", "", runs, _mean_recall, None),
        _goal(f"lowest kappa with {FEW} labels of both kinds", "> 0.5", runs, _kappa, _above_half),
        _goal("score and labelled readiness", "≥ 0.45 / ≥ 0.60", runs, _ready, _correlated),
        *_running(runs),
    ]
    head = ["goal", "", *(run.title for run in runs), "reached"]
    return _table(head, rows)


def _goal(
    title: str,
    goal: str,
    runs: Sequence[Run],
    figure: Callable[[Run], float | None],
    reached: Callable[[float, Run], bool] | None,
) -> list[str]:
    """The four figures; reached only if all of them do. None = nothing there to judge."""
    values = [(figure(run), run) for run in runs]
    known = [(value, run) for value, run in values if value is not None]
    judged = "–"
    if reached is not None and known:
        judged = "yes" if all(reached(value, run) for value, run in known) else "**no**"
    return [title, goal, *(_number(value) for value, _ in values), judged]


def _precision(run: Run) -> float | None:
    return _of_all(run, "precision")


def _recall(run: Run) -> float | None:
    return _of_all(run, "recall")


def _of_all(run: Run, name: str) -> float | None:
    value: float | None = run.result["gold"]["all"][name]
    return value


def _mean_recall(run: Run) -> float | None:
    found = [row["recall"] for row in _rows(run) if row["flaws"]]
    return sum(found) / len(found) if found else None


def _worst(run: Run) -> float | None:
    return min((r["precision"] for r in _rows(run) if r["flagged"] >= FEW), default=None)


def _kappa(run: Run) -> float | None:
    return min((row["kappa"] for row in _rows(run) if _both_kinds(row)), default=None)


def _both_kinds(row: dict[str, Any]) -> bool:
    met = row["n"] - row["flaws"] - row["not_applicable"]
    return bool(row["flaws"] >= FEW and met >= FEW)


def _ready(run: Run) -> float | None:
    value: float | None = run.result["gold"]["ready"]["spearman"]
    return value


def _at_least_90(value: float, _: Run) -> bool:
    return value >= 0.90


def _above_half(value: float, _: Run) -> bool:
    return value > 0.5


def _correlated(value: float, run: Run) -> bool:
    return value >= (0.45 if run.sample == "natural" else 0.60)


def _running(runs: Sequence[Run]) -> Iterable[list[str]]:
    """What does not depend on labels: measured once, so it stands in the first column."""
    result = runs[0].result
    done, rest = result["operation"], [""] * (len(runs) - 1)
    pairs = result["measures"][0]["value"]
    broken = sum(len(run.result["problems"]) for run in runs)
    verbatim = done["quotes"]["verbatim"]
    same = done["deterministic"] and done["order_independent"]
    fast, small = done["tickets_per_cpu_s"] >= 500, done["peak_mb"] < 100
    for title, goal, figure, reached in (
        ("pairs, length-matched", "≥ 0.85", _number(pairs), pairs >= 0.85),
        ("quotes that stand in the ticket", "all", _number(verbatim), verbatim == 1),
        ("same bytes again, same in any order", "always", "", same),
        ("answers that broke the contract", "0", str(broken), broken == 0),
        ("tickets a second on one core", "≥ 500", "", fast),
        ("memory", "< 100 MB", "", small),
    ):
        yield [title, goal, figure, *rest, "yes" if reached else "**no**"]


# Criteria, score


def _criteria(runs: Sequence[Run]) -> Iterable[str]:
    yield (
        "*flagged* = flaws that the checklist named, *right* = those that are flaws by the\n"
        "labels, *unclear* = named where the readings differ (in no precision). Kappa counts\n"
        "silence as a disagreement. *met* = said to be there, and how often that is right."
    )
    head = ["criterion", "labels", "flaws", "flagged", "right", "unclear", "precision, 95%"]
    head += ["recall", "kappa", "met", "right"]
    for run in runs:
        yield f"### {run.title.capitalize()}"
        rows = [_criterion(row) for row in _rows(run)]
        total = run.result["gold"]["all"]
        right = round(total["flagged"] * (total["precision"] or 0))
        yield _table(head, [*rows, _total(run, total, right)])


def _criterion(row: dict[str, Any]) -> list[str]:
    right = round(row["flagged"] * (row["precision"] or 0))
    counted = [str(row[name]) for name in ("n", "flaws", "flagged")]
    return [
        *(f"`{row['criterion']}`", *counted, str(right), str(row["flagged_unclear"])),
        _with_interval(row["precision"], row["precision_ci"]),
        *(_number(row["recall"]), _number(row["kappa"])),
        *(str(row["met_said"]), _number(row["met_precision"])),
    ]


def _total(run: Run, total: dict[str, Any], right: int) -> list[str]:
    unclear = sum(row["flagged_unclear"] for row in _rows(run))
    labels, flaws = (sum(row[name] for row in _rows(run)) for name in ("n", "flaws"))
    counted = [str(value) for value in (labels, flaws, total["flagged"], right, unclear)]
    shown = _with_interval(total["precision"], total["precision_ci"])
    return ["all", *counted, shown, _number(total["recall"]), "", "", ""]


def _score(run: Run) -> str:
    rows = [
        [
            *(each["name"].split(" (")[0], str(each["n"])),
            _with_interval(each["value"], each["ci"]),
            _number(each["length"]),
        ]
        for each in run.result["measures"]
    ]
    spread = ", ".join(f"{v:.0f}" for v in run.result["jira_sample"]["quantiles_5_25_50_75_95"])
    return (
        "S = how many of some 80 agents solved an issue, U = issues that people called\n"
        "underspecified, D = difficult ones, J = a thousand Jira tickets. For S, U and D\n"
        "there is no goal: no cheap signal predicts them, and this one does not either. The\n"
        "*length guards* show how far the score follows the number of words.\n\n"
        + _table(["measure", "n", "value, 95%", "counting words"], rows)
        + f"\n\nScores of the thousand tickets at 5, 25, 50, 75 and 95%: {spread}."
    )


# Mistakes


def _mistakes(runs: Sequence[Run]) -> Iterable[str]:
    yield (
        "By the ticket's id in the sample; the place is where in the judged text the rule's\n"
        "quote stands, none for what was looked for in vain. *label* is what the readings\n"
        "say. First the flaws that are none: each of these was a false reproach."
    )
    yield listed(runs, "unmet")
    yield "What was said to be there and is not, by the labels: here it should have been asked for."
    yield listed(runs, "met")


def listed(runs: Sequence[Run], said: str) -> str:
    """The findings of this status that the labels contradict, one row for each place."""
    where: dict[tuple[str, str, str, str, str], list[str]] = {}
    for run in runs:
        for pair in wrong(run.pairs, said):
            place = ", ".join(f"{start}–{end}" for start, end in pair.at[:1]) or "–"
            key = (run.sample, pair.criterion, pair.ticket, place, pair.label)
            where.setdefault(key, []).append("type given" if run.typed else "no type")
    if not where:
        return "None."
    names = list(BY_NAME)
    rows = [
        [sample, f"`{criterion}`", ticket, place, label.replace("_", " "), " and ".join(when)]
        for (sample, criterion, ticket, place, label), when in sorted(
            where.items(), key=lambda item: (item[0][0] != "natural", names.index(item[0][1]), item)
        )
    ]
    return _table(["sample", "criterion", "ticket", "place", "label", "judged with"], rows)


# Cells


def _rows(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = run.result["gold"]["per_criterion"]
    return found


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _with_interval(value: float | None, interval: Sequence[float | None]) -> str:
    if value is None:
        return "–"
    low, high = interval
    return f"{value:.3f} [{_number(low)}, {_number(high)}]"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
