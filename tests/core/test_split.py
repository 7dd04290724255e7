"""The proposed split: the author's words, their order, and nothing where there is no list."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.plain import render
from app.core.split import LONGEST_SUMMARY, MOST, Part, propose
from app.core.text import Block, Document, bullets, from_plain, item, paragraph
from app.core.wiki import from_wiki
from tests.core.generated import documents

KEY, SUMMARY = "BILL-7", "Fix several issues of the export"


def of(wiki: str) -> tuple[Part, ...]:
    return propose(KEY, SUMMARY, from_wiki(wiki))


def order(wiki: str) -> list[tuple[int, ...]]:
    return [part.after for part in of(wiki)]


def test_a_bundle_in_full() -> None:
    parts = of(
        "The export has several issues:\n\n"
        "* Wrong header in {{writer.py}}\n* Rows are sorted by chance\n\n"
        "h3. Acceptance criteria\n* a test for each\n* no other file changes\n* done by May\n"
    )
    assert [part.summary for part in parts] == [
        "Wrong header in writer.py",
        "Rows are sorted by chance",
    ]
    assert render(parts[0].description) == (
        "Wrong header in writer.py\n---\n"
        "Part of BILL-7: Fix several issues of the export\n"
        "The export has several issues:\n"
        "Acceptance criteria\n• a test for each\n• no other file changes\n• done by May"
    )


def test_order_that_the_text_names() -> None:
    assert order("# one thing\n# then another\n# and a third") == [(), (1,), ()]
    assert order("# First, a parser\n# the writer\n# the page") == [(), (1,), (1,)]
    assert order("# the page\n# the writer, after item 3\n# a parser") == [(), (3,), ()]
    assert order("* a new parser\n* the page (depends on the new parser)") == [(), (1,)]
    assert order("* once the parser is done, the page\n* the parser") == [(2,), ()]
    assert order("* the page after lunch\n* the parser") == [(), ()]
    assert order("# the page after item 2\n# the parser after item 1") == [(2,), ()]
    assert order("# a thing after item 9\n# a thing after item 1") == [(), (1,)]


def test_where_there_is_no_list_of_changes() -> None:
    assert of("One sentence. While at it, also fix the header.") == ()
    assert of("* only one") == ()
    assert of("h3. Steps to reproduce\n# open\n# click\n# see") == ()
    assert of("\n".join(f"* thing {n}" for n in range(MOST + 1))) == ()


def test_lines_that_are_marked_are_items_too() -> None:
    parts = propose(KEY, SUMMARY, from_plain("Please:\n\n- fix a\n- fix b"))
    assert [part.summary for part in parts] == ["Fix a", "Fix b"]


def test_a_long_item_has_a_short_summary_and_keeps_its_words() -> None:
    words = "word " * 200
    parts = propose(KEY, SUMMARY, Document((bullets(*(item(paragraph(words)) for _ in "ab")),)))
    assert all(len(part.summary) <= LONGEST_SUMMARY for part in parts)
    assert words.strip() in render(parts[0].description)


lists = st.lists(
    st.text(alphabet="ab itemafter 123#thenfirst.,", min_size=1, max_size=60),
    min_size=2,
    max_size=8,
)


@given(documents, lists)
@settings(max_examples=80, deadline=None)
def test_any_text_gives_parts_that_can_be_made(blocks: tuple[Block, ...], items: list[str]) -> None:
    listed = bullets(*(item(paragraph(text)) for text in items))
    parts = propose(KEY, SUMMARY, Document((*blocks, listed)))
    done: set[int] = set()
    for _ in parts:  # there is an order in which all can be done
        done |= {part.number for part in parts if set(part.after) <= done}
    assert done == {part.number for part in parts}
    for part in parts:
        assert 0 < len(part.summary) <= LONGEST_SUMMARY
        assert "\n" not in part.summary
