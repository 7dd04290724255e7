"""Where a ticket stands in a backlog, how a backlog is cut, and cells that nothing calculates."""

from __future__ import annotations

import csv
import io
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.backlog import GROUPS, Standing, cell, place, standing
from app.core.readiness import assess
from app.core.shards import OLDEST, OPEN, Part, cut, query
from app.core.text import from_plain

READY = """\
The export in `app/export.py` quotes a field that holds a semicolon, so that accounting need not
repair it by hand.

Acceptance:
- given the value `a;b`, the row holds `"a;b"`
- `pytest tests/test_export.py` passes
"""
VAGUE = "The export is too slow for big customers, please make it better. See Slack thread."
TODAY = date(2026, 11, 24)


def stands(summary: str, text: str, **rules: int) -> Standing:
    return standing(assess(summary, from_plain(text), "Story", **rules))  # type: ignore[arg-type]


def test_a_ready_ticket_needs_nothing() -> None:
    found = stands("Quote fields that hold a semicolon", READY)
    assert (found.group, found.verdict) == ("ready", "ready")


def test_one_open_question_is_one_answer_away() -> None:
    without_a_check = READY.partition("Acceptance")[0]
    found = stands("Quote fields that hold a semicolon", without_a_check, threshold=60)
    asked = assess(
        "Quote fields that hold a semicolon", from_plain(without_a_check), "Story", threshold=60
    )
    assert found.questions == len(asked.questions)
    assert (found.group == "one_answer") == (asked.verdict == "nearly" and found.questions == 1)


def test_many_open_questions_and_what_nobody_can_judge_are_not_for_agents() -> None:
    found = stands("CSV export is slow", VAGUE)
    assert found.group == "not_for_agents"
    assert found.questions >= 2
    assert found.top
    assert stands("Export", "") == Standing("not_for_agents", "not_yet")


@pytest.mark.parametrize(
    ("verdict", "asked", "group"),
    [
        ("ready", 0, "ready"),
        ("ready", 2, "ready"),  # what is asked beside it holds nothing up
        ("nearly", 1, "one_answer"),
        ("nearly", 0, "not_for_agents"),  # held for another reason: a person has to look
        ("nearly", 2, "not_for_agents"),
        ("not_yet", 1, "not_for_agents"),
    ],
)
def test_the_rule_of_the_groups(verdict: str, asked: int, group: str) -> None:
    from dataclasses import replace

    from app.core.questions import Question

    judged = assess("CSV export is slow", from_plain(VAGUE), "Story")
    questions = tuple(Question("acceptance", "How?", "so", "") for _ in range(asked))
    made = replace(judged, verdict=verdict, questions=questions)  # type: ignore[arg-type]
    assert standing(made).group == group


def test_the_nearest_stands_first() -> None:
    listed = [
        (Standing("ready", "ready", 95, 1), "12"),
        (Standing("ready", "ready", 80, 0), "9"),
        (Standing("ready", "ready", 80, 0), "10"),
        (Standing("one_answer", "nearly", 99, 1), "1"),
        (Standing("not_for_agents", "nearly", 50, 2), "2"),
        (Standing("not_for_agents", "not_yet", 60, 3), "3"),
        (Standing("not_for_agents", "not_yet"), "4"),
    ]
    listed.reverse()
    assert sorted(listed, key=lambda each: place(*each)) == listed[::-1]
    assert [*GROUPS] == ["ready", "one_answer", "not_for_agents"]


# Cut into parts

DAYS = st.lists(st.dates(OLDEST, TODAY), max_size=200)


@given(DAYS, st.integers(1, 40))
def test_parts_hold_every_ticket_once(days: list[date], largest: int) -> None:
    asked: list[Part] = []

    def count(part: Part) -> int:
        asked.append(part)
        return sum(holds(part, day) for day in days)

    parts = cut(count, TODAY, largest)
    for day in (*days, OLDEST - timedelta(days=1), TODAY + timedelta(days=9)):
        assert sum(holds(part, day) for part in parts) == 1
    assert [part.end for part in parts[:-1]] == [part.first for part in parts[1:]]
    for part in parts:
        here = [day for day in days if holds(part, day)]
        assert part.tickets == len(here)
        assert len(here) <= largest or len(set(here)) == 1
    assert len(asked) == len(parts)


@given(DAYS, st.integers(-50, 50))
def test_a_wrong_estimate_loses_nothing(days: list[date], wrong: int) -> None:
    parts = cut(lambda part: max(0, len(days) + wrong), TODAY, 10)
    assert all(sum(holds(part, day) for part in parts) == 1 for day in days)


def holds(part: Part, day: date) -> bool:
    return (part.first is None or part.first <= day) and (part.end is None or day < part.end)


def test_a_part_as_jira_is_asked_for_it() -> None:
    order = " ORDER BY created ASC, key ASC"
    assert Part().jql("a = 1 OR b = 2") == f"(a = 1 OR b = 2){order}"
    part = Part(date(2024, 3, 1), date(2024, 9, 1))
    days = ' AND created >= "2024-03-01" AND created < "2024-09-01"'
    assert part.jql("a = 1") == f"(a = 1){days}{order}"


@given(st.builds(Part, st.none() | st.dates(), st.none() | st.dates(), st.integers(), st.text()))
def test_a_part_is_kept_whole(part: Part) -> None:
    assert Part.read(part.kept()) == part


@pytest.mark.parametrize(
    ("jql", "project", "asked"),
    [
        ("", "BILL", f'project = "BILL" AND ({OPEN})'),
        ("a = 1 ORDER BY rank", "", "a = 1"),
        ("a = 1 order  by rank DESC", "BILL", 'project = "BILL" AND (a = 1)'),
        ('summary ~ "order by mail" order by rank', "", 'summary ~ "order by mail"'),
        (r'summary ~ "say \"order by\"" AND b = 2', "", r'summary ~ "say \"order by\"" AND b = 2'),
        ("summary ~ 'order by'", "", "summary ~ 'order by'"),
        ("ORDER BY key", "BILL", f'project = "BILL" AND ({OPEN})'),
    ],
)
def test_what_is_read(jql: str, project: str, asked: str) -> None:
    assert query(jql, project) == asked


# Cells


@given(st.text() | st.sampled_from(["=1+1", " =1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1"]))
def test_no_cell_is_a_formula(text: str) -> None:
    shown = cell(text)
    assert not shown.lstrip(" ").startswith(("=", "+", "-", "@", "\t", "\r", "\n", "＝"))
    assert shown.removeprefix("'") == text or shown == text
    out = io.StringIO()
    csv.writer(out).writerow([shown, "next"])
    assert next(csv.reader(io.StringIO(out.getvalue(), newline=""))) == [shown, "next"]


def test_plain_cells_stay_as_they_are() -> None:
    assert [cell("BILL-1"), cell(None), cell(38)] == ["BILL-1", "", "38"]
