"""What may never happen to a score, whatever the text: padding and flattery that pay, true words
that harm, one answer for wiki markup and another for the same words in Markdown."""

from __future__ import annotations

import json
import re
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.adf import from_adf, to_adf
from app.core.markdown import from_markdown, to_markdown
from app.core.readiness import Readiness, Verdict, assess
from app.core.scoring_lines import score_line
from app.core.text import Block, Document
from app.core.wiki import from_wiki, to_wiki
from bench.score_inputs import BAD, LARGE
from tests.core.generated import well_formed
from tests.core.score_texts import ALL, FILTER, INJECTIONS, PADDING, PRINT, SLOW, TRUE

RANK: dict[Verdict, int] = {"not_yet": 0, "nearly": 1, "ready": 2}
WORTH = {"unmet": 0, "silent": 1, "not_applicable": 1, "met": 2}
KINDS = (None, "Bug", "Story")

tickets = st.sampled_from(ALL)
kinds = st.sampled_from(KINDS)
paddings = st.lists(st.sampled_from(PADDING), min_size=1, max_size=30)


@cache
def judged(summary: str, body: str, kind: str | None = None) -> Readiness:
    return assess(summary, from_wiki(body), kind)


def statuses(readiness: Readiness) -> dict[str, str]:
    return {finding.criterion: finding.status for finding in readiness.findings}


def quoted(readiness: Readiness) -> dict[str, list[str]]:
    text = readiness.text
    return {f.criterion: [text[slice(*quote)] for quote in f.quotes] for f in readiness.findings}


def no_better(before: Readiness, after: Readiness) -> None:
    assert RANK[after.verdict] <= RANK[before.verdict]
    if before.score is not None:
        gained = {
            name: (was, statuses(after).get(name))
            for name, was in statuses(before).items()
            if statuses(after).get(name) != was
        }
        assert (after.score or 0) <= before.score, gained


def placed(body: str, more: str, where: int) -> str:
    """The text with more in front (0), behind (1) or between its paragraphs (2)."""
    if where == 2:
        head, gap, rest = body.partition("\n\n")
        return f"{head}\n\n{more}{gap}{rest}" if gap else f"{head}\n\n{more}"
    return f"{more}\n\n{body}" if where == 0 else f"{body}\n\n{more}"


# Padding


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ticket", ALL, ids=lambda ticket: ticket[0])
def test_each_padding_alone_improves_nothing(ticket: tuple[str, str], kind: str | None) -> None:
    before = judged(*ticket, kind)
    for more in PADDING:
        for where in range(3):
            no_better(before, judged(ticket[0], placed(ticket[1], more, where), kind))


@settings(max_examples=40)
@given(tickets, kinds, paddings, st.integers(0, 2))
def test_padding_together_improves_nothing(
    ticket: tuple[str, str], kind: str | None, more: list[str], where: int
) -> None:
    padded = judged(ticket[0], placed(ticket[1], "\n\n".join(more), where), kind)
    no_better(judged(*ticket, kind), padded)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ticket", ALL, ids=lambda ticket: ticket[0])
def test_saying_it_again_improves_nothing(ticket: tuple[str, str], kind: str | None) -> None:
    before = judged(*ticket, kind)
    for times in (2, 5):
        no_better(before, judged(ticket[0], "\n\n".join([ticket[1]] * times), kind))
    no_better(before, judged(ticket[0], f"{ticket[0]}\n\n{ticket[1]}", kind))


# Words to whoever judges


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ticket", ALL, ids=lambda ticket: ticket[0])
def test_each_injection_improves_nothing(ticket: tuple[str, str], kind: str | None) -> None:
    before = judged(*ticket, kind)
    for more in INJECTIONS:
        for where in range(3):
            no_better(before, judged(ticket[0], placed(ticket[1], more, where), kind))
        no_better(before, judged(f"{ticket[0]}. {more}", ticket[1], kind))


@settings(max_examples=40)
@given(tickets, kinds, st.lists(st.sampled_from(INJECTIONS), min_size=1, max_size=6))
def test_injections_together_improve_nothing(
    ticket: tuple[str, str], kind: str | None, said: list[str]
) -> None:
    for gap in ("\n\n", " "):
        padded = judged(ticket[0], f"{ticket[1]}\n\n{gap.join(said)}", kind)
        no_better(judged(*ticket, kind), padded)


# True words


@pytest.mark.parametrize("criterion", TRUE)
@pytest.mark.parametrize("ticket", ALL, ids=lambda ticket: ticket[0])
def test_true_words_never_harm_their_criterion(ticket: tuple[str, str], criterion: str) -> None:
    for kind in KINDS:
        before = statuses(judged(*ticket, kind))[criterion]
        for where in range(3):
            body = placed(ticket[1], TRUE[criterion], where)
            after = statuses(judged(ticket[0], body, kind))[criterion]
            assert WORTH[after] >= WORTH[before], (kind, where, before, after)


@pytest.mark.parametrize("criterion", TRUE)
def test_the_words_that_say_it_are_recognised(criterion: str) -> None:
    body = f"The invoice page is printed by many.\n\n{TRUE[criterion]}"
    assert statuses(judged("Invoice list", body, "Bug"))[criterion] == "met"


# Order, case, line breaks


SECTIONED = (PRINT, FILTER)


@settings(max_examples=60)
@given(st.data(), st.sampled_from(SECTIONED), kinds)
def test_order_and_case_of_headings_do_not_matter(
    data: st.DataObject, ticket: tuple[str, str], kind: str | None
) -> None:
    first, *sections = re.split(r"\n*(?=^h[23]\. )", ticket[1].strip(), flags=re.MULTILINE)
    ordered = data.draw(st.permutations(sections))
    case = data.draw(st.sampled_from(["upper", "lower", "title", "strip"]))
    cased = (
        re.sub(r"(?<=^h[23]\. ).*", lambda found: getattr(found[0], case)(), part, count=1)
        for part in (first, *ordered)
    )
    turned = judged(ticket[0], "\n\n".join(cased), kind)
    before = judged(*ticket, kind)
    assert statuses(turned) == statuses(before)
    assert (turned.score, turned.verdict) == (before.score, before.verdict)


@given(tickets, kinds, st.sampled_from([" ", "  ", "\r\n", "\r", "\u2028", ""]))
def test_lost_line_breaks_leave_every_quote_verbatim(
    ticket: tuple[str, str], kind: str | None, instead: str
) -> None:
    body = ticket[1].replace("\n", instead)
    result = assess(ticket[0], from_wiki(body), kind)
    for finding in result.findings:
        for start, end in finding.quotes:
            assert 0 <= start < end <= len(result.text)
        if finding.status == "met":
            assert finding.quotes
    line = {"id": 1, "summary": ticket[0], "description": body, "issue_type": kind}
    raw = " ".join(f"{ticket[0]}\n{body}".split())
    for quotes in score_line(line)["evidence"].values():
        assert all(" ".join(quote.split()) in raw for quote in quotes)


# One text, three markups


def in_every_markup(blocks: tuple[Block, ...]) -> dict[str, Document]:
    return {
        "adf": from_adf(to_adf(blocks)),
        "wiki": from_wiki(to_wiki(blocks)),
        "markdown": from_markdown(to_markdown(blocks)),
    }


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ticket", ALL, ids=lambda ticket: ticket[0])
def test_the_same_content_gets_the_same_findings(ticket: tuple[str, str], kind: str | None) -> None:
    read = from_wiki(ticket[1])
    expected = assess(ticket[0], read, kind)
    for markup, document in in_every_markup(read.blocks).items():
        found = assess(ticket[0], document, kind)
        assert statuses(found) == statuses(expected), markup
        assert quoted(found) == quoted(expected), markup
        assert (found.score, found.verdict) == (expected.score, expected.verdict), markup


@settings(max_examples=40)
@given(well_formed, tickets)
def test_generated_content_gets_the_same_findings(
    blocks: tuple[Block, ...], ticket: tuple[str, str]
) -> None:
    whole = (*from_wiki(ticket[1]).blocks, *blocks)
    found = {
        markup: assess(ticket[0], document, None)
        for markup, document in in_every_markup(whole).items()
    }
    assert statuses(found["adf"]) == statuses(found["wiki"]) == statuses(found["markdown"])


# The same again


@settings(max_examples=30)
@given(tickets, kinds, tickets)
def test_the_same_bytes_come_out_twice(
    ticket: tuple[str, str], kind: str | None, other: tuple[str, str]
) -> None:
    asked = {"id": 7, "summary": ticket[0], "description": ticket[1], "issue_type": kind}
    first = json.dumps(score_line(asked)).encode()
    score_line({**asked, "summary": other[0], "description": other[1]})
    assert json.dumps(score_line(asked)).encode() == first


# Bad input


@pytest.mark.parametrize("name", [*BAD, *LARGE])
def test_bad_input_is_answered_and_never_ready(name: str) -> None:
    for read in (from_wiki, from_markdown):
        result = assess("Export", read((BAD | LARGE)[name]), None)
        assert result.verdict != "ready"
        assert result.score is None or 0 <= result.score <= 100


@pytest.mark.parametrize("name", BAD)
def test_bad_input_behind_a_ticket_improves_nothing(name: str) -> None:
    for ticket in (PRINT, SLOW):
        before = judged(*ticket)
        no_better(before, assess(ticket[0], from_wiki(f"{ticket[1]}\n\n{BAD[name]}"), None))


def test_beyond_a_limit_the_first_part_is_judged_and_that_is_said() -> None:
    limit = 100_000
    far = f"{PRINT[1]}\n\n" + "We went on talking about it. " * 4_000
    assert len(far) > limit
    late = f"{far}\n\nShould we use CSV or XLSX here? See the attached document."
    short, long = judged(PRINT[0], far), judged(PRINT[0], late)
    assert statuses(short) == statuses(long), "what stands behind the limit is not judged"
    assert "100,000" in long.note
    assert long.verdict != "ready"
