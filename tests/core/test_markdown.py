"""Markdown: a document read as a person sees it, written so that nothing in it is carried out."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.core.markdown import from_markdown, titled, to_markdown
from app.core.text import Block, Document, Span, bullets, expand, item, paragraph
from app.core.wiki import from_wiki, to_wiki
from tests.core.generated import documents, hostile_text, well_formed

DESIGN = """\
---
title: CSV export
owners: [billing]
---
CSV export
==========

The export is **too slow** for _big_ customers: on a file of 100,000 rows it takes a minute, and
people wait. See `csv_export/writer.py` and [the table](http://x.example/a_(b)) ![curve](c.png).
Expected: 10 s
Actual: 60 s

## Acceptance criteria ##
- [ ] one `row` a line
- [x] a * b stays

1. open the page
   - click "Export", which stands
     at the right

   and wait
2. read
   ```py
x = 1
   ```
* * *
| code | text \\| sign |
|---|:-:|
| 404 | `Not Found` |

> as said
on Monday

    make test

[the docs]: https://x.example/docs "Docs"
Read [The  docs] and [them][the docs], not [these].<br>Done &amp; dusted &copy; \\*2

~~~
never closed
"""
READ = """\
```yaml
title: CSV export
owners: [billing]
```

The export is too slow for big customers: on a file of 100,000 rows it takes a minute, and people \
wait. See csv_export/writer.py and the table .
Expected: 10 s
Actual: 60 s

## Acceptance criteria

- [ ] one row a line
- [x] a * b stays

1. open the page
   - click "Export", which stands
     at the right
   and wait
2. read
   ```py
x = 1
   ```

---

| code | text | sign |
| 404 | Not Found |

> as said
> on Monday

```
make test
```

Read The  docs and them, not [these].
Done & dusted © *2

~~~
never closed"""


def test_a_design_document_is_read_as_it_is_seen() -> None:
    summary, document = titled(DESIGN)
    assert (summary, document.plain()) == ("CSV export", READ)
    assert (document.unread, document.hidden) == (("curve",), False)
    table = next(block for block in document.blocks if block.kind == "table")
    assert [cell.header for row in table.children for cell in row.children] == [True] * 2 + [
        False
    ] * 2
    links = [s.link for b in document.blocks for s in b.spans if s.link]
    docs = "https://x.example/docs"
    assert links == ["http://x.example/a_(b)", docs, docs]


@pytest.mark.parametrize(
    ("written", "summary", "body"),
    [
        ("# Export #\n\nSlow.", "Export", "Slow."),
        ("\n\n# C#\nSlow.", "C#", "Slow."),
        ("Export\n------\nSlow.", "Export", "Slow."),
        ("**Export** is slow\n\nVery.", "Export is slow", "Very."),
        ("Export", "Export", ""),
        ("", "", ""),
        ("---\nnot a name\n---\n", "---", "## not a name"),
    ],
)
def test_the_first_heading_or_line_is_the_summary(written: str, summary: str, body: str) -> None:
    found, document = titled(written)
    assert (found, document.plain()) == (summary, body)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("a\n- b\n- c", "a\n\n- b\n- c"),
        ("it was version\n2. It broke.", "it was version\n2. It broke."),
        ("- a\n  - b\n    - c\n- d", "- a\n  - b\n    - c\n- d"),
        ("- a\n\n  b\n\nc", "- a\n  b\n\nc"),
        ("1) a\n2) b", "1. a\n2. b"),
        ("> - a\n> - b\n>\n> c", "> - a\n> - b\n> \n> c"),
        ("````\n```\nx\n```\n````", "```\n```\nx\n```\n```"),
        ("#no heading", "#no heading"),
        ("a | b", "a | b"),
        ("snake_case_name and 2 * 3 * 4", "snake_case_name and 2 * 3 * 4"),
        ("``a ` b`` and `c", "a ` b and `c"),
        ("***both*** ~~gone~~ <https://x.example>", "both gone https://x.example"),
        ("one\\\ntwo  \nthree", "one\ntwo\nthree"),
        ("<details><summary>More</summary>\n\nText</details>", "More\n\nText"),
        ("## " + "h" * 200, "h" * 200),
        (
            "Steps:  1. open  2. click  Expected:  a list",
            "Steps:  1. open  2. click  Expected:  a list",
        ),
    ],
)
def test_what_people_write(written: str, read: str) -> None:
    assert from_markdown(written).plain() == read


def test_a_line_broken_for_its_length_goes_on() -> None:
    wide = "word " * 12
    assert from_markdown(f"{wide}\n{wide}\nend").plain() == " ".join((wide + wide + "end").split())
    assert from_markdown("short\nlines\nstay").plain() == "short\nlines\nstay"
    assert (
        from_markdown(f"{wide}\nExpected: it works").plain()
        == f"{wide.strip()}\nExpected: it works"
    )


def test_what_nobody_sees_is_told() -> None:
    assert from_markdown("a\u200bb").hidden
    assert from_markdown("a\n" + "\n" * 50 + "b").hidden
    assert not from_markdown("a\n\nb").hidden


UNITS = ("[", "![", "[a](", "`", "``` ", "**a ", "# ", " ", "\t", "> ", "- ", " - ", "|", "|-", "~")
MORE = ("~~~~\n", "```\n", "| a |\n|---|\n", "<br>", "[x]: y\n", "a\n==\n", "- a\n  ", "> > ", "\\")


@pytest.mark.parametrize("unit", [*UNITS, *MORE])
def test_hostile_length_takes_linear_time(unit: str) -> None:
    hostile = unit * (60_000 // len(unit)) + "x"
    started = time.process_time()
    to_markdown(from_markdown(hostile).blocks)
    assert time.process_time() - started < 2


def test_deep_nesting_is_read_as_lines() -> None:
    from_markdown("\n".join(" " * 2 * depth + "- x" for depth in range(300))).plain()
    from_markdown(">" * 50_000 + " x").plain()


@given(st.one_of(hostile_text, st.text(alphabet="#>-*_`~|[]()\\ \n\t1.ab<&", max_size=80)))
def test_anything_is_read(text: str) -> None:
    document = from_markdown(text)
    assert document == from_markdown(text)
    titled(text)


def seen(document: Document) -> list[str]:
    """Words alone: numbers of items, marks of cells and quotes differ from markup to markup."""
    return re.sub(r"[\s/|>]+|\b\d+\. ", " ", document.plain()).split()


@given(well_formed)
def test_what_is_written_is_read_back(blocks: tuple[Block, ...]) -> None:
    assert seen(from_markdown(to_markdown(blocks))) == seen(Document(blocks))
    assert seen(from_markdown(to_markdown(blocks))) == seen(from_wiki(to_wiki(blocks)))


@settings(max_examples=50)
@given(documents)
def test_any_blocks_are_written(blocks: tuple[Block, ...]) -> None:
    assert isinstance(to_markdown(blocks), str)


@given(st.lists(hostile_text, min_size=1, max_size=4))
def test_outside_text_comes_out_inert(texts: list[str]) -> None:
    """However it looks, it is read back as paragraphs of text: no heading, list, link or code."""
    made = to_markdown([paragraph(text) for text in texts])
    for block in from_markdown(made).blocks:
        assert block.kind == "paragraph"
        assert all(span.link is None or span.link == span.text for span in block.spans)
        assert not any(span.strong or span.em or span.code for span in block.spans)


def test_names_call_nobody_and_code_keeps_its_end() -> None:
    said = (
        expand("Checks", paragraph("ask @joe, see <b>"), Block("code", spans=(Span("a\n```\nb"),))),
        bullets(item(paragraph(Span("x|y", code=True), " and ", Span("now", status="red")))),
    )
    assert to_markdown(said) == (
        "<details>\n<summary>Checks</summary>\n\nask @<!-- -->joe, see &lt;b\\>\n\n"
        "````\na\n```\nb\n````\n\n</details>\n\n- `x|y` and **NOW**"
    )
