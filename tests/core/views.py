"""What comments are made of, for the tests of each of them."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from app.core.comments import Costs, Origin, ResultView, RunMoney, RunView, ticks
from app.core.eligibility import Reason
from app.core.forecast import Forecast
from app.core.readiness import Finding, Question, Readiness
from app.core.run import Check, Ending

TEXT = """\
Make the CSV export better

The export is slow for big customers, maybe in the background? See Slack thread."""


def quote(words: str) -> tuple[tuple[int, int], ...]:
    at = TEXT.index(words)
    return ((at, at + len(words)),)


VAGUE = Readiness(
    score=38,
    verdict="not_yet",
    findings=(
        Finding("location", "met", quote("CSV export"), "CSV export"),
        Finding("acceptance", "unmet", (), "", "a result that can be seen", "Add one check."),
        Finding("bundle", "silent", looked_for="several separate changes"),
        Finding("reproduction", "not_applicable"),
        Finding(
            "open_decision", "unmet", quote("maybe in the background?"), "maybe in the background?"
        ),
    ),
    questions=(
        Question(
            "vague", "How fast is fast enough?", "100,000 rows in under 10 s", "make it better"
        ),
        Question("open_decision", "In the background, or not?", "yes", "maybe in the background?"),
        Question("outside_source", "What matters in the thread?", "copy it", "see Slack thread"),
    ),
    good=('the place ("CSV export")', 'for whom ("big customers")'),
    rubric="checklist v1",
    text=TEXT,
    note="",
)
READY = replace(VAGUE, score=88, verdict="ready", questions=(), findings=VAGUE.findings[:1])
BUDGET = Reason(
    "budget",
    "Project budget: this needs $3.00 set aside, $1.20 is free until 1 Dec.",
    "A project admin can raise it.",
    "Project budget: what is free until 1 Dec is too little for this.",
)
QUEUE = Reason("review_queue", "4 agent pull requests wait for review (limit 4).", "")
NOT_READY = Reason("not_ready", "The text does not answer everything yet.", "")

NOON = datetime(2026, 3, 4, 13, 26, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
RUN = RunView(
    agent_title="Claude Code",
    number=1,
    repository="billing-api",
    branch="agent/BILL-231-1",
    ticks=ticks(["read the ticket", "prepare", "change it", "check it", "hand over"], 3),
    step=3,
    attempt=1,
    attempts=2,
    money=RunMoney(420_000, 3_000_000, "USD", simulated=False, cap_holds=True),
    origin=Origin(NOON - 2 * MINUTE, "557:a", NOON - MINUTE, NOON, "557:b"),
    zone=ZoneInfo("Europe/Berlin"),
    started=NOON,
    latest_end=NOON + 40 * MINUTE,
    sign_of_life=NOON + 6 * MINUTE,
    forecast=Forecast(604_000, 1_880_000, "project", 34, 1),
)

COSTS = Costs(420_000, 600_000, 2_580_000, "USD", simulated=True)
DONE = ResultView(
    agent_title="Rehearsal agent",
    number=1,
    ending=Ending.SUCCEEDED,
    branch="agent/BILL-231-1",
    base_branch="main",
    costs=COSTS,
    change="2 files changed: app/export.py, tests/test_export.py",
    commit="1a2b3c4d5e6f7a8b",
    pull_request="https://code.example/pr/7",
    checks=(
        Check("100,000 rows in under 10 s", "passed", "make check: exit 0, 12 tests"),
        Check("The manual says so", "not checked", ""),
    ),
    said="All done, believe me!",
)
