"""A comment that is too long for Jira is cut, and says where the rest is."""

from __future__ import annotations

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.adf import to_adf
from app.core.fit import LIMIT, fit, size
from app.core.text import Block, Span, bullets, expand, item, paragraph
from app.core.wiki import to_wiki
from tests.core.generated import documents

ADDRESS = "https://signalbox.example/surfaces/panel?site=acme&issue=BILL-1"
CUT = "This comment was too long for Jira and was cut here."


@given(documents, st.integers(500, 2000))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_cut_comment_fits(blocks: tuple[Block, ...], limit: int) -> None:
    cut = fit(blocks, limit, ADDRESS)
    assert len(json.dumps(to_adf(cut), ensure_ascii=False).encode("utf-16-le")) <= 2 * limit
    assert len(to_wiki(cut).encode("utf-16-le")) <= 2 * limit
    if cut != blocks:
        assert cut[-1].spans[-1] == Span(ADDRESS, link=ADDRESS)


@pytest.mark.parametrize("limit", [900, 1200, 1500])
def test_the_title_of_a_fold_counts(limit: int) -> None:
    long = expand("t" * 400, *[paragraph("x" * 500) for _ in range(5)])
    cut = fit([paragraph("head"), long], limit)
    assert [block.kind for block in cut] == ["paragraph", "expand", "paragraph"]
    assert len(json.dumps(to_adf(cut), ensure_ascii=False)) <= limit


def test_a_long_comment_loses_its_folds_before_its_last_line() -> None:
    long = expand("All", bullets(*[item(paragraph(f"check {n} " + "x" * 60)) for n in range(500)]))
    cut = fit([paragraph("head"), long, paragraph("foot")])
    assert cut[0] == paragraph("head")
    assert cut[2:] == (paragraph("foot"), paragraph(Span(CUT, em=True)))
    assert 100 < len(cut[1].children[0].children) < 500
    assert fit([paragraph("short")]) == (paragraph("short"),)


@pytest.mark.parametrize("unit", ["x", "{", "\\", '"', "🚂", "é", "a\n", "[a|b] "])
def test_no_character_makes_it_too_long(unit: str) -> None:
    """Markup escapes what JSON leaves, and the other way round; a picture counts twice."""
    cut = fit([paragraph("head"), paragraph(unit * LIMIT)], address=ADDRESS)
    for sent in (to_wiki(cut), json.dumps(to_adf(cut), ensure_ascii=False)):
        assert len(sent.encode("utf-16-le")) // 2 <= LIMIT
    assert size(cut) > LIMIT // 4
    assert cut[0] == paragraph("head")


def test_a_cut_comment_links_to_the_rest() -> None:
    cut = fit([paragraph("x" * 40_000)], address=ADDRESS)
    assert to_wiki(cut[-1:]) == f"{{_}}{CUT} The rest:{{_}} [{ADDRESS}]"
    assert "link" not in json.dumps(to_adf(fit([paragraph("x" * 40_000)])))
