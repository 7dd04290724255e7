"""What people call wrong counts like silence, holds while the words are the same, and opens no gate
unless somebody with a role says so."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.criteria import CRITERIA, Finding
from app.core.objections import Objection, mark, precision, set_aside
from app.core.readiness import Readiness, assess, numbered, points, waiting
from app.core.text import from_plain
from app.sandbox.story import QUOTING, SPEED, VAGUE

MUST_HAVES = frozenset({"outcome", "acceptance", "location"})
NAMES = [criterion.name for criterion in CRITERIA]
SENTENCES = [
    *(line for text in (QUOTING, SPEED, VAGUE) for line in text.split("\n") if line.strip()),
    "It should return 200 for an empty list.",
    "Maybe in the background? See the Slack thread.",
    "Several issues:\n- rename it\n- move it\n- delete it",
    "Out of scope: the PDF export.",
]
texts = st.lists(st.sampled_from(SENTENCES), max_size=6).map("\n".join)
summaries = st.sampled_from(["Make the export better", "CSV export: quote fields", "Export", "Fix"])
kinds = st.sampled_from(["Bug", "Task", ""])


def judged(
    summary: str, text: str, kind: str, objections: list[Objection], threshold: int = 70
) -> Readiness:
    return assess(summary, from_plain(text), kind, threshold=threshold, objections=objections)


def against(readiness: Readiness, names: set[str], *, lifts: bool) -> list[Objection]:
    return [
        Objection(finding.criterion, mark(finding, readiness.text), lifts)
        for finding in readiness.findings
        if finding.criterion in names
    ]


@given(summaries, texts, kinds, st.sets(st.sampled_from(NAMES)), st.sampled_from([30, 70]))
@settings(max_examples=150, deadline=None)
def test_nobody_without_a_role_opens_the_gate(
    summary: str, text: str, kind: str, names: set[str], threshold: int
) -> None:
    before = judged(summary, text, kind, [], threshold)
    after = judged(summary, text, kind, against(before, names, lifts=False), threshold)
    assert after.verdict != "ready" or before.verdict == "ready"
    if before.verdict == "ready":
        assert after.verdict == "ready", "an objection takes nothing away"
    asked = {question.criterion for question in after.questions}
    assert not asked & names
    if after.verdict != "ready" and not after.questions and before.score is not None:
        hidden = {f.criterion for f in after.findings if f.aside and f.status == "silent"}
        assert set(waiting(after, MUST_HAVES)) <= hidden


@given(summaries, texts, kinds, st.sets(st.sampled_from(NAMES)), st.booleans())
@settings(max_examples=150, deadline=None)
def test_an_objected_finding_counts_like_silence(
    summary: str, text: str, kind: str, names: set[str], lifts: bool
) -> None:
    before = judged(summary, text, kind, [])
    after = judged(summary, text, kind, against(before, names, lifts=lifts))
    were = {finding.criterion: finding for finding in before.findings}
    share = {line.criterion: line for line in points(after.findings)}
    for finding in after.findings:
        old = were[finding.criterion]
        if finding.criterion not in names or old.status in ("met", "not_applicable"):
            assert finding.status == old.status
        else:
            assert (finding.status, finding.aside) == ("silent", "lifted" if lifts else "hidden")
            flaw = next(c for c in CRITERIA if c.name == finding.criterion).flaw
            line = share[finding.criterion]
            assert line.got == pytest.approx(line.of if flaw else line.of / 2)


def test_a_role_lifts_a_must_have() -> None:
    text = "The export in billing/csv_export/writer.py has a header row since today. Nothing else."
    before = judged("CSV export: quote fields", text, "Task", [], 40)
    assert (before.verdict, before.questions[0].criterion) == ("nearly", "acceptance")
    hidden = judged("CSV export: quote fields", text, "Task",
                    against(before, {"acceptance"}, lifts=False), 40)  # fmt: skip
    assert (hidden.verdict, waiting(hidden, MUST_HAVES)) == ("nearly", ("acceptance",))
    lifted = judged("CSV export: quote fields", text, "Task",
                    against(before, {"acceptance"}, lifts=True), 40)  # fmt: skip
    assert (lifted.verdict, waiting(lifted, MUST_HAVES)) == ("ready", ())


def test_a_finding_is_the_same_by_its_words() -> None:
    text = "Make it better. Please."
    finding = Finding("vague", "unmet", ((0, 14),), "Make it better")
    moved = Finding("vague", "unmet", ((5, 20),), "make  it better")
    assert mark(finding, text) == mark(moved, "Hi.  make  it\tbetter now")[:64]
    assert mark(finding, text) != mark(Finding("vague", "unmet", ((0, 7),)), text)
    absent = Finding("acceptance", "unmet")
    assert mark(absent, text) == mark(Finding("acceptance", "silent"), "Other words entirely")
    assert mark(absent, text) != mark(Finding("location", "unmet"), text)
    other = Objection("vague", mark(finding, "x" * 30), False)
    assert set_aside((finding,), text, [other]) == (finding,)


def test_questions_are_numbered_as_a_comment_shows_them() -> None:
    found = judged("Export", VAGUE, "Story", [])
    assert [name for name, _ in numbered(found)] == [q.criterion for q in found.questions]
    assert numbered(judged("CSV: quote fields", QUOTING, "Bug", [], 0)) == []


def test_precision_of_each_rule() -> None:
    shown = {("v1", "vague"): 4, ("v1", "reason"): 10, ("v2", "vague"): 1}
    found = precision(shown, {("v1", "vague"): 1}, {("v1", "vague"): 1})
    assert [(p.rubric, p.criterion, p.share) for p in found] == [
        ("v1", "vague", 0.75),
        ("v1", "reason", 1.0),
        ("v2", "vague", 1.0),
    ]
