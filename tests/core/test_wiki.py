"""Wiki markup: read as Jira shows it, also without line breaks; written so that nothing acts."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.text import Block, Document, Span, bullets, item, paragraph
from app.core.wiki import from_wiki, to_wiki
from tests.core.generated import documents, hostile_text, well_formed

TICKET = """\
h2. Goal
Speed up *the export* for _big_ customers, see {{app/export.py}}.

h3. Steps
# Open "Export"
# Choose CSV
#* and all rows
# Press {color:red}Go{color}

* [ ] under 10 s
* [x] reviewed

||what||where||
|export|[the page|https://x.example/e]|
|import| |
{code:python|title=app/export.py}
rows = {}  # [a|b]
{code}
{noformat}
h1. no heading
{noformat}
{quote}
A customer said

it is slow.{quote}
bq. and again
{panel:title=Mind|bgColor=#fff}
* one
{panel}
----
Path /users/{id}/x is text, [this] too. -gone- well-known non-goal, 2 * 3 * 4, a_b_c
Ask [~accountid:557058:0a-1] or [~kim]! https://x.example/y. !shot.png|thumbnail! {toc} [^log.txt]
first\\\\ second \\*not bold\\* &amp; &#91;
"""


def test_a_ticket_is_read_as_jira_shows_it() -> None:
    read = from_wiki(TICKET)
    assert (
        read.plain()
        == """\
## Goal

Speed up the export for big customers, see app/export.py.

### Steps

1. Open "Export"
2. Choose CSV
   - and all rows
3. Press Go

- [ ] under 10 s
- [x] reviewed

| what | where |
| export | the page |
| import |  |

app/export.py

```python
rows = {}  # [a|b]
```

```
h1. no heading
```

> A customer said
>\x20
> it is slow.

> and again

Mind

- one

---

Path /users/{id}/x is text, [this] too. gone well-known non-goal, 2 * 3 * 4, a_b_c
Ask @557058:0a-1 or @kim! https://x.example/y.   log.txt
first
second *not bold* & ["""
    )
    assert read.unread == ("shot.png", "toc", "log.txt")
    assert not read.hidden


def test_marks_links_and_mentions_are_spans() -> None:
    read = from_wiki("*a* _b_ -c- +d+ {{e}} {*}f{*}g [h|https://x.example] [~kim] [j|javascript:x]")
    assert [span for span in read.blocks[0].spans if span.text.strip()] == [
        Span("a", strong=True),
        Span("b", em=True),
        Span("c", strike=True),
        Span(" d "),
        Span("e", code=True),
        Span("f", strong=True),
        Span("g "),
        Span("h", link="https://x.example"),
        Span("@kim", mention="kim"),
        Span(" j (javascript:x)"),
    ]


@pytest.mark.parametrize(
    ("lost", "read"),
    [
        (
            "h2. Goal  Faster export.    h2. Done when  * under 10 s  * {code}a = 1  b{code}",
            "## Goal\n\nFaster export.\n\n## Done when\n\n- under 10 s\n- ```\na = 1\nb\n  ```",
        ),
        (
            "Steps: # open # press h2. Expected result",
            "Steps:\n\n1. open\n2. press\n\n## Expected result",
        ),
        ("Plain text, 3 * 4 = 12 # of cases.", "Plain text, 3 * 4 = 12 # of cases."),
        ("||k||v||  |a|1|    After.", "| k | v |\n| a | 1 |\n\nAfter."),
    ],
)
def test_lost_line_breaks_are_found_again(lost: str, read: str) -> None:
    assert from_wiki(lost).plain() == read


def test_a_heading_without_its_end_is_a_paragraph() -> None:
    (block,) = from_wiki("h2. " + "word " * 60).blocks
    assert block.kind == "paragraph"


def test_code_that_is_never_closed_hides_nothing() -> None:
    assert from_wiki("a {code} b\nh2. c").plain() == "a\nb\n\n## c"


@pytest.mark.parametrize(
    ("written", "read", "hidden"),
    [
        ("a {color:white}b{color} c", "a  c", True),
        ("a {color:#FFF}b\n\n* c{color} d", "a  d", True),
        ("{color:white}{quote}b{quote}{color}", "", True),
        ("{color:red}a{color} b {color:#fefefe}c{color}", "a b ", True),
        ("{color:red}a{color}", "a", False),
        ("{color:white}a", "a", False),
        ("{code}\n{color:white}a{color}\n{code}", "```\n{color:white}a{color}\n```", False),
        ("{code} {color:white}a{color}", "", True),
        ("a" + "\n \n" * 50 + "b", "a\n\nb", True),
        ("a" + "\n" * 99, "a", False),
        ("a <!-- b -->", "a <!-- b -->", False),
        ("a\u00adb\ufe01\U000e0041", "ab", True),
    ],
)
def test_what_nobody_sees_is_told(written: str, read: str, hidden: bool) -> None:
    document = from_wiki(written)
    assert (document.plain(), document.hidden) == (read, hidden)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        (
            "||k||v||\n|a|{code:java}\nif (x|y) {\n}\n{code}|b|",
            "| k | v |\n| a | if (x|y) { / } | b |",
        ),
        ("|* a\n* b|c|", "| - a / - b | c |"),
        ("|a|\n{code}\nb\n{code}", "| a |\n\n```\nb\n```"),
        ("|a\nb|c|", "| a / b | c |"),
    ],
)
def test_a_cell_holds_lists_and_code(written: str, read: str) -> None:
    assert from_wiki(written).plain() == read


@pytest.mark.parametrize(
    "unit",
    [
        "{", "}", "[", "|", "||", "*", "*a ", "a* ", "{{", "{{a}",
        "{code}", "{code:", "!a", "\\", "h1. ", "# ", "\n", "\n* ", "\n|", "\n|a",
        " ", "  ", "&#", "{quote}", "[a|", "_a_", "```\n", "\u200b", "https://", "{panel:title=",
        "?", "\n** a\n* b", "{a:", "[~", "!a|", "-a",
        "{color:white}", "{color}", "{code}{color:#fff}", "|{code}", "\r", "\u2028 ",
    ],
)  # fmt: skip
def test_hostile_length_takes_linear_time(unit: str) -> None:
    text = unit * (12_000 // len(unit))
    began = time.process_time()  # the processor's own time: other work does not count
    read = from_wiki(text)
    to_wiki(read.blocks)
    to_wiki([paragraph(text)])
    assert time.process_time() - began < 2


@given(st.text(alphabet="{}[]|*_-+!~^\\#?:/ h1.\nbqcode&;`x\t", max_size=80))
def test_anything_is_read(text: str) -> None:
    assert isinstance(from_wiki(text).plain(), str)


@given(documents)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_any_blocks_are_written(blocks: tuple[Block, ...]) -> None:
    assert isinstance(to_wiki(blocks), str)


def test_only_safe_addresses_are_linked() -> None:
    spans = [Span("a|b", link="https://x.example/?a|b"), Span("c", link="javascript:x()")]
    assert to_wiki([paragraph(*spans)]) == "a\\|bc"
    assert to_wiki([paragraph(Span("a|b", link="https://x.example/!"))]) == (
        "[a\\|b|https://x.example/%21]"
    )


@given(st.lists(hostile_text, min_size=1, max_size=3))
@settings(max_examples=150)
def test_outside_text_comes_out_inert(texts: list[str]) -> None:
    """Read again it is the same text, in the same place, without any mark."""
    written = "*\n" + to_wiki([paragraph("x ", *texts), bullets(item(paragraph("y ", *texts)))])
    read = from_wiki(written)
    assert read.unread == ()
    assert {block.kind for block in read.blocks} <= {"paragraph", "bullets"}
    assert _squeezed(read.plain()) == _squeezed(
        "* " + Document((paragraph("x ", *texts), bullets(item(paragraph("y ", *texts))))).plain()
    )
    for span in _spans(read.blocks):
        assert span == Span(span.text, link=span.link)
        assert span.link is None or span.link.startswith("http")


@given(well_formed)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_written_is_read_back(blocks: tuple[Block, ...]) -> None:
    assert _squeezed(from_wiki(to_wiki(blocks)).plain()) == _squeezed(Document(blocks).plain())


def test_code_cannot_end_its_own_block() -> None:
    for text in ("{code}\nh1. x", "{code}{noformat} [x|http://y]"):
        (block,) = from_wiki(to_wiki([Block("code", spans=(Span(text),))])).blocks
        assert block.kind == "code"


def _spans(blocks: tuple[Block, ...]) -> list[Span]:
    return [s for b in blocks for s in (*b.spans, *_spans(b.children))]


def _squeezed(text: str) -> str:
    return "".join(c for c in text if c.isprintable() and not c.isspace())
