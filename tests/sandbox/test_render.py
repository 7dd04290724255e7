"""Documents as HTML: every node has a look, and nothing hostile gets through."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inline_snapshot import snapshot

from app.sandbox.markup import NODES
from app.sandbox.render import safe_link, to_html
from tests.sandbox.conftest import document, paragraph

HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'>&"


def html(*blocks: dict[str, Any] | str) -> str:
    return str(to_html(document(*blocks), {"acc-1": "Author <b>"}))


def node(kind: str, *content: dict[str, Any], **attrs: object) -> dict[str, Any]:
    return {"type": kind, "attrs": attrs, "content": list(content)}


def text(value: str, *marks: str, **attrs: object) -> dict[str, Any]:
    return {"type": "text", "text": value, "marks": [{"type": m, "attrs": attrs} for m in marks]}


def inline(*content: dict[str, Any]) -> str:
    return html({"type": "paragraph", "content": list(content)})


def test_text_and_marks() -> None:
    assert inline(
        text("a", "strong"),
        text("b", "em", "strike"),
        text("c", "code"),
        text("d", "underline"),
        text("e", "subsup", type="sub"),
        text("f", "subsup", type="sup"),
        text("g", "textColor", color="#ff0000"),
        {"type": "hardBreak"},
    ) == snapshot(
        "<p><strong>a</strong><s><em>b</em></s><code>c</code><u>d</u><sub>e</sub><sup>f</sup>g<br></p>"
    )


def test_blocks() -> None:
    assert html(
        node("heading", text("Title"), level=2),
        node("bulletList", node("listItem", paragraph("one"))),
        node("orderedList", node("listItem", paragraph("two")), order=3),
        node("blockquote", paragraph("said")),
        {"type": "rule"},
        node("codeBlock", text("x < 1"), language="python"),
    ) == snapshot(
        '<h2>Title</h2><ul><li><p>one</p></li></ul><ol start="3"><li><p>two</p></li></ol>'
        '<blockquote><p>said</p></blockquote><hr><div class="code"><span class="language">python'
        "</span><pre><code>x &lt; 1</code></pre></div>"
    )


def test_what_comments_of_the_product_use() -> None:
    assert html(
        node("panel", paragraph("hint"), panelType="warning"),
        node("expand", paragraph("more"), title="All checks"),
        node(
            "taskList",
            node("taskItem", text("done"), state="DONE", localId="1"),
            node("taskItem", text("open"), state="TODO", localId="2"),
        ),
        node(
            "table",
            node("tableRow", node("tableHeader", paragraph("H"), colspan=2)),
            node("tableRow", node("tableCell", paragraph("C"))),
        ),
        {"type": "paragraph", "marks": [{"type": "fontSize"}], "content": [text("small")]},
    ) == snapshot(
        '<div class="panel warning"><span class="icon">!</span><div class="inside"><p>hint</p>'
        '</div></div><details><summary>All checks</summary><div class="inside"><p>more</p></div>'
        '</details><ul class="tasks"><li class="done"><input type="checkbox" disabled checked '
        'aria-label="done"><span>done</span></li><li><input type="checkbox" disabled '
        'aria-label="open"><span>open</span></li></ul><div class="table"><table><tbody><tr>'
        '<th colspan="2"><p>H</p></th></tr><tr><td><p>C</p></td></tr></tbody></table></div>'
        '<p class="small">small</p>'
    )


def test_inline_nodes() -> None:
    assert inline(
        node("status", text="Not yet", color="red"),
        node("status", text="odd", color="#123456"),
        node("mention", id="acc-1", text="@Old name"),
        node("mention", id="acc-2", text="@Known to the text"),
        node("emoji", shortName=":smile:", text="🙂"),
        node("date", timestamp="1795460203563"),
        node("inlineCard", url="https://example.org/a"),
        node("mediaInline", alt="shot.png", id="1"),
    ) == snapshot(
        '<p><span class="lozenge red">Not yet</span><span class="lozenge neutral">odd</span>'
        '<span class="mention">@Author &lt;b&gt;</span>'
        '<span class="mention">@Known to the text</span>🙂<time>23 Nov 2026</time>'
        '<a href="https://example.org/a" rel="noopener noreferrer nofollow" target="_blank">'
        'https://example.org/a</a><span class="media">[shot.png]</span></p>'
    )


@pytest.mark.parametrize(
    ("href", "kept"),
    [
        ("https://example.org/?a=1&b=2", True),
        ("HTTP://example.org", True),
        ("mailto:a@example.org", True),
        ("javascript:alert(1)", False),
        (" JavaScript:alert(1)", False),
        ("java\nscript:alert(1)", False),
        ("data:text/html,x", False),
        ("vbscript:x", False),
        ("//example.org", False),
        ("/relative", False),
        ("http://[broken", False),
        (None, False),
        (7, False),
    ],
)
def test_links(href: object, kept: bool) -> None:
    assert bool(safe_link(href)) is kept
    shown = inline(text("word", "link", href=href))
    assert ("<a " in shown) is kept
    assert "word" in shown


def test_an_address_cannot_leave_its_attribute() -> None:
    shown = inline(text("x", "link", href='https://e.org/"><script>alert(1)</script>'))
    assert "<script" not in shown
    assert "&#34;&gt;&lt;script&gt;" in shown


class Seen(HTMLParser):
    """The elements and attributes that a browser would see."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {name for name, _ in attrs}


@pytest.mark.parametrize("kind", sorted(NODES | {"unknown"}))
def test_no_node_lets_markup_through(kind: str) -> None:
    names = "text title language color url alt shortName id panelType level order state timestamp"
    attrs = dict.fromkeys([*names.split(), "colspan", "localId"], HOSTILE)
    hostile = {"type": kind, "text": HOSTILE, "attrs": attrs, "content": [text(HOSTILE)]}
    seen = Seen()
    seen.feed(html(hostile))
    assert not seen.tags & {"script", "img"}
    allowed = {"class", "href", "rel", "target", "type", "disabled", "checked", "aria-label"}
    assert seen.attributes <= allowed


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["type", "content", "attrs", "marks", "text", "level"]), inner
        )
    ),
    max_leaves=15,
)


@given(JSON)
def test_renders_whatever_it_is_given(value: object) -> None:
    to_html({"type": "doc", "version": 1, "content": value})
    to_html(value)


def test_stops_at_some_depth() -> None:
    block = paragraph("deep")
    for _ in range(500):
        block = {"type": "blockquote", "content": [block]}
    assert "deep" not in html(block)
