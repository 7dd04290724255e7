"""The twelve criteria: each said when it is sure, and the usual false alarms kept silent."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.rubric import CRITERIA, Finding, judge
from app.core.text import Block, Document, Span, bullets, from_plain, item, paragraph

STEPS = (
    "Steps to reproduce:\n1. Open the invoice page\n2. Click Print\n"
    "Actual result: an empty sheet.\nExpected result: the invoice is printed."
)


def found(
    criterion: str, summary: str, body: str | Document = "", kind: str | None = None
) -> Finding:
    document = from_plain(body) if isinstance(body, str) else body
    return next(f for f in judge(summary, document, kind) if f.criterion == criterion)


def flattened(text: str) -> str:
    """The text as exports have it: line breaks are blanks."""
    return text.replace("\n", "  ")


def test_every_criterion_is_judged_once_in_its_order() -> None:
    names = [finding.criterion for finding in judge("Add a flag", from_plain("For tests."), None)]
    assert names == [criterion.name for criterion in CRITERIA]
    assert len(names) == 12
    assert {c.name for c in CRITERIA if c.must_have} == {"outcome", "acceptance", "location"}


@pytest.mark.parametrize(
    ("criterion", "status", "summary", "body", "kind"),
    [
        # outcome
        (
            "outcome",
            "met",
            "Add a dry-run flag to the sync command",
            "Prints what it would do.",
            "",
        ),
        ("outcome", "met", "Login page", "The page should show the remaining attempts.", "Story"),
        ("outcome", "met", "As a clerk I want to sort the list by date", "", "Story"),
        ("outcome", "met", "Report page crashes on an empty month", "Since Monday.", "Bug"),
        ("outcome", "unmet", "Q3 platform work", "", "Task"),
        ("outcome", "unmet", "Reporting improvements", "NULL", "Story"),
        ("outcome", "silent", "Make the search better", "It is bad today.", "Story"),
        # reason
        ("reason", "met", "Add a filter", "Clerks scroll for minutes because all rows show.", ""),
        ("reason", "met", "Add a filter", "Big customers need it.", "Story"),
        ("reason", "unmet", "Rename Foo to Bar", "Rename the class Foo to Bar.", "Task"),
        # acceptance
        ("acceptance", "met", "Filter", "Acceptance criteria:\n- typing x hides row y", "Story"),
        (
            "acceptance",
            "met",
            "Filter",
            "Given a list, when x is typed, then y is hidden.",
            "Story",
        ),
        ("acceptance", "met", "Init call", "The call should return 404 for unknown ids.", "Story"),
        ("acceptance", "unmet", "Port the wizard to the new toolkit", "Old one is gone.", "Story"),
        # defects only
        ("observed_expected", "met", "Print fails", STEPS, "Bug"),
        ("observed_expected", "met", "Wrong total", "It shows 3 and should show 4 rows.", "Bug"),
        ("observed_expected", "unmet", "Print fails on Linux", "A red line in the log.", "Bug"),
        ("observed_expected", "not_applicable", "Add print", STEPS, "Story"),
        ("reproduction", "met", "Print fails", STEPS, "Bug"),
        ("reproduction", "met", "Crash", "When I click Save twice the page is empty.", "Bug"),
        ("reproduction", "met", "Crash", "Parser breaks:\n\n{code}\nparse('')\n{code}", "Bug"),
        ("reproduction", "unmet", "Wrong sum", "The total is odd.", "Bug"),
        ("reproduction", "not_applicable", "Add a flag", "", "New Feature"),
        # location
        ("location", "met", "Fix rounding", "See app/money.py.", "Task"),
        ("location", "met", "Rounding", "The invoice page rounds twice.", "Task"),
        ("location", "met", "[Billing] rounding", "It rounds twice.", "Task"),
        ("location", "met", "Rounding", "Click Tools > Options.", "Task"),
        ("location", "unmet", "Cooperation please", "Write it.", "Task"),
        # bounded
        ("bounded", "unmet", "Rename", "Please rename a, b, etc. in the report.", "Task"),
        ("bounded", "unmet", "Make the search better", "It is bad.", "Story"),
        ("bounded", "met", "Sort the invoice list by date", "Out of scope: the archive.", "Story"),
        # verification
        ("verification", "met", "Add a flag", "Add unit tests for both values.", "Story"),
        (
            "verification",
            "met",
            "Add a flag",
            "{code}\npython3 -m pytest tests/flag\n{code}",
            "Task",
        ),
        ("verification", "unmet", "Add a flag", "It is off by default.", "Story"),
        # flaws
        ("open_decision", "unmet", "Export", "Format: TBD", "Story"),
        ("open_decision", "unmet", "Export", "Should we use CSV or XLSX here?", "Story"),
        ("open_decision", "unmet", "Export", "Run it nightly, maybe in the background?", "Story"),
        ("open_decision", "unmet", "Export", "We should either hide it or remove it.", "Story"),
        ("outside_source", "unmet", "Export", "See Slack thread.", "Story"),
        ("outside_source", "unmet", "Export", "Do it as discussed in the meeting.", "Story"),
        ("outside_source", "unmet", "Export dialog icon", "see attached image", "Story"),
        ("bundle", "unmet", "Viewer", "Several issues:\n- no grid\n- no zoom\n- no menu", "Bug"),
        ("vague", "unmet", "Make the export better", "It is slow.", "Story"),
        ("vague", "unmet", "Clean up the old parser", "", "Task"),
    ],
)
def test_says_what_it_is_sure_of(
    criterion: str, status: str, summary: str, body: str, kind: str
) -> None:
    assert found(criterion, summary, body, kind or None).status == status
    assert found(criterion, summary, flattened(body), kind or None).status == status


@pytest.mark.parametrize(
    ("criterion", "summary", "body"),
    [
        # 3: an expected result hidden in prose
        (
            "acceptance",
            "Undo in the editor",
            "After undo the caret should appear at its old place.",
        ),
        ("acceptance", "Undo", 'The button is called "Undo" afterwards.'),
        # 6: a component given only in the summary
        ("location", "Atto: the icons are too small", "They are."),
        ("location", "Payment service drops the currency", "Seen twice."),
        # 7: "etc." in an example or a log
        ("bounded", "Read more formats", "Support one more format (e.g. TIFF, PNG, etc.)."),
        ("bounded", "Stop the crash", "{noformat}\nplease read a, b, etc.\n{noformat}"),
        # 9: a question quoted from a user, an answered one, TODO inside code
        ("open_decision", "Add help", 'Users ask "should we click here?" again and again.'),
        ("open_decision", "Add help", "Q: What if the view is stale? A: It is reloaded."),
        ("open_decision", "Remove it", "{code}\n# TODO: should we do this?\n{code}"),
        ("open_decision", "Fix the timer", "It runs while the job is either idle or done."),
        # 10: a link that merely adds background
        (
            "outside_source",
            "Show the status text",
            (
                "Map each status code to its text, 404 to Not Found. The table stands in "
                "status.py and has all codes. Background: https://example.org/codes"
            ),
        ),
        (
            "outside_source",
            "Deselect unsupported targets",
            (
                "See screenshot. Select a kit that knows the target, then one that does not "
                "know it: the target is greyed out but it stays selected. It should become "
                "deselected in the wizard as soon as a "
                "kit without it is chosen, as the services already do."
            ),
        ),
        # 11: steps or acceptance checks read as a list of changes
        ("bundle", "Print fails", STEPS),
        (
            "bundle",
            "Sort the list",
            "Acceptance criteria:\n- add a\n- show b\n- remove c\n- open d\n- set e",
        ),
        # 12: "improve" followed by a number, or by a check
        ("vague", "Improve the start", "From 12 s to under 3 s on the sample project."),
        ("vague", "Improve the list", "Acceptance criteria:\n- the newest entry stands on top"),
        ("vague", "Investigate why the index grows", "It grows by 2 each night."),
        # a library's name is no demand
        ("verification", "Add a test for the parser", "The parser has none."),
        ("reason", "Drop the old flag", "Nobody needs it, it is deprecated."),
    ],
)
def test_usual_false_alarms_stay_silent(criterion: str, summary: str, body: str) -> None:
    for kind in (None, "Bug", "Story"):
        assert found(criterion, summary, body, kind).status != "unmet"
        assert found(criterion, summary, flattened(body), kind).status != "unmet"


def test_structure_is_read_from_blocks() -> None:
    document = Document(
        (
            Block("heading", spans=(Span("Acceptance criteria"),), level=2),
            bullets(item(paragraph("the file has a header")), item(paragraph("rows are quoted"))),
            Block("code", spans=(Span("TODO: etc."),), language="py"),
        )
    )
    acceptance = found("acceptance", "Write a header", document)
    assert acceptance.status == "met"
    assert acceptance.found == "the file has a header"
    assert len(acceptance.quotes) == 2
    assert found("open_decision", "Write a header", document).status == "silent"


def test_an_empty_section_is_no_acceptance() -> None:
    assert (
        found("acceptance", "Sort", "Acceptance criteria:\n\nNotes: none", "Story").status != "met"
    )
    assert found("acceptance", "Sort", "h3. Acceptance criteria", "Story").status != "met"


def test_absence_names_what_was_looked_for_and_a_repair() -> None:
    missing = found("verification", "Add a flag", "Off by default.", "Story")
    assert (missing.quotes, missing.found) == ((), "")
    assert "tests" in missing.looked_for
    assert missing.repair.startswith("Add one line")


def test_present_flaws_are_quoted() -> None:
    flaw = found("open_decision", "Export", "Run it nightly, maybe in the background? Soon.")
    assert flaw.found == "maybe in the background?"
    assert found("outside_source", "Export", "Fast. See Slack thread.").found == "See Slack thread"
    assert found("location", "Slow", "The CSV export is slow.").found == "CSV export"
    assert found("reason", "Slow", "It is slow for big customers.").found == "big customers"


def test_words_to_the_scorer_are_no_evidence() -> None:
    talk = "Dear reviewer, this must return ready. All acceptance criteria are met."
    assert found("acceptance", "Make it nice", talk, "Story").status != "met"
    assert found("outcome", "Make it nice", talk, "Story").status != "met"


@pytest.mark.parametrize(
    ("kind", "summary", "body", "applies"),
    [
        ("Bug", "Add a flag", "", True),
        ("Production incident", "Add a flag", "", True),
        ("Story", "It crashes with an error", STEPS, False),
        (None, "Anything", STEPS, True),
        (None, "Add a flag", "off by default", False),
    ],
)
def test_defect_criteria_apply_to_defects(
    kind: str | None, summary: str, body: str, applies: bool
) -> None:
    status = found("reproduction", summary, body, kind).status
    assert (status != "not_applicable") is applies


@settings(max_examples=40)
@given(st.text(max_size=80), st.text(max_size=600), st.sampled_from([None, "Bug", "Story"]))
def test_any_text_is_judged_the_same_twice_and_quotes_hold(
    summary: str, body: str, kind: str | None
) -> None:
    document = from_plain(body)
    text = f"{summary}\n\n{document.plain()}"
    findings = judge(summary, document, kind)
    assert findings == judge(summary, document, kind)
    for finding in findings:
        assert all(0 <= start < end <= len(text) for start, end in finding.quotes)
        assert finding.found == (text[slice(*finding.quotes[0])] if finding.quotes else "")
        if finding.status == "met":
            assert finding.found.strip()
        if finding.status == "unmet":
            assert finding.repair
