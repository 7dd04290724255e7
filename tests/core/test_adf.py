"""Atlassian Document Format: read whole, written valid, cut where Jira would refuse it."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.core.adf import from_adf, to_adf
from app.core.text import Block, Document, Span, expand, paragraph
from tests.core.adf_nodes import doc, node, para, schema, text
from tests.core.generated import documents, well_formed

HTTP = re.compile("https?://[^/]", re.ASCII | re.IGNORECASE)


def test_a_ticket_is_read_as_its_author_wrote_it() -> None:
    read = from_adf(
        doc(
            node("heading", text("Goal"), level=2),
            para(text("Speed up "), text("export", {"type": "strong"}), text(" for big ones.")),
            node(
                "bulletList",
                node(
                    "listItem",
                    para(text("one")),
                    node("orderedList", node("listItem", para(text("a")))),
                ),
                node("listItem", para(text("two"))),
            ),
            node("codeBlock", text("GET /x\n  y"), language="http"),
            node(
                "taskList", node("taskItem", text("works"), state="DONE", localId="1"), localId="0"
            ),
            node("panel", para(text("mind this")), panelType="warning"),
            node("expand", para(text("inside")), title="More"),
            node("blockquote", para(text("said"))),
            {"type": "rule"},
            node(
                "table",
                node(
                    "tableRow",
                    node("tableHeader", para(text("k"))),
                    node("tableHeader", para(text("v"))),
                ),
                node(
                    "tableRow",
                    node("tableCell", para(text("a"))),
                    node("tableCell", para(text("1"))),
                ),
            ),
        )
    )
    assert read.unread == ()
    assert read.plain() == (
        "## Goal\n\nSpeed up export for big ones.\n\n- one\n  1. a\n- two\n\n"
        "```http\nGET /x\n  y\n```\n\n- [x] works\n\nmind this\n\nMore\n\ninside\n\n> said\n\n---\n"
        "\n| k | v |\n| a | 1 |"
    )


def test_inline_nodes_are_read() -> None:
    read = from_adf(
        doc(
            para(
                {"type": "mention", "attrs": {"id": "557058:x", "text": "@Kim"}},
                {"type": "emoji", "attrs": {"shortName": ":ok:", "text": "✅"}},
                {"type": "date", "attrs": {"timestamp": "1700000000000"}},
                {"type": "status", "attrs": {"text": "Done", "color": "green"}},
                {"type": "hardBreak"},
                {"type": "inlineCard", "attrs": {"url": "https://x.example/1"}},
                text("run", {"type": "link", "attrs": {"href": "javascript:alert(1)"}}),
            )
        )
    )
    assert read.blocks == (
        paragraph(
            Span("@Kim", mention="557058:x"),
            Span("✅2023-11-14"),
            Span("Done", status="green"),
            Span("\n"),
            Span("https://x.example/1", link="https://x.example/1"),
            Span("run"),
        ),
    )


def test_what_was_not_read_is_named_and_text_in_it_kept() -> None:
    read = from_adf(
        doc(
            node("mediaSingle", node("media", type="file", id="1", collection="c", alt="shot.png")),
            node("extension", extensionKey="toc", extensionType="com.atlassian"),
            node("bodiedExtension", para(text("kept")), extensionKey="excerpt", extensionType="x"),
            node("layoutSection", node("layoutColumn", para(text("left")), width=50)),
            node("newThing", para(text("unknown, kept"))),
            para({"type": "oddInline", "content": [text("also")]}, {"type": "mediaInline"}),
        )
    )
    assert read.unread == ("shot.png", "toc", "excerpt", "an attachment")
    assert read.plain() == "kept\n\nleft\n\nunknown, kept\n\nalso"


def test_hidden_characters_are_taken_out_and_told() -> None:
    read = from_adf(doc(para(text("a\u202eb\U000e0041c"))))
    assert (read.plain(), read.hidden) == ("abc", True)


@pytest.mark.parametrize(
    ("marks", "ground", "kept"),
    [
        ({"textColor": "#ffffff"}, {}, False),
        ({"textColor": "#FDFDFE"}, {}, False),
        ({"textColor": "#ff5630"}, {}, True),
        ({"textColor": "#ffffff", "backgroundColor": "#172b4d"}, {}, True),
        ({"textColor": "#172b4d", "backgroundColor": "#172b4d"}, {}, False),
        ({"textColor": "#ffffff"}, {"background": "#0747a6"}, True),
        ({"textColor": "#0747a6"}, {"background": "#0747a6"}, False),
        ({"textColor": "white-ish"}, {}, True),
    ],
)
def test_text_in_the_colour_of_its_ground_is_taken_out_and_told(
    marks: dict[str, str], ground: dict[str, str], kept: bool
) -> None:
    coloured = [{"type": kind, "attrs": {"color": colour}} for kind, colour in marks.items()]
    cell = node("tableCell", para(text("a"), text("b", *coloured)), **ground)
    read = from_adf(doc(node("table", node("tableRow", cell))))
    assert (read.plain(), read.hidden) == (("| ab |", False) if kept else ("| a |", True))


@pytest.mark.parametrize(
    "blank",
    [
        [para()] * 500,
        [para(*[{"type": "hardBreak"}] * 500)],
        [para(text(" "))] * 500,
        [node("listItem", para())] * 500,
    ],
)
def test_what_stands_far_below_is_read_and_told(blank: list[object]) -> None:
    for below in (
        para(text("b")),
        node("heading", text("b"), level=1),
        node("codeBlock", text("b")),
    ):
        read = from_adf(doc(para(text("a")), *blank, below))
        assert read.hidden
        assert "b" in read.plain()
    assert not from_adf(doc(para(text("a")), *blank)).hidden


@pytest.mark.shared
def test_every_node_that_jira_knows_is_read_or_named() -> None:
    parts = list(schema().schema["definitions"].items())
    marks = {kind for name, part in parts if "_mark" in name for kind in _types(part)}
    kinds = {kind for _, part in parts for kind in _types(part)} - marks
    assert len(kinds) > 30
    for kind in sorted(kinds - {"doc"}):
        odd = {"type": kind, "attrs": {"url": "https://x.example/kept"}, "text": "kept"}
        read = from_adf(doc({**odd, "content": [para(text("kept"))]}))
        assert "kept" in read.plain() or read.unread or kind in EMPTY, kind


EMPTY = frozenset(["hardBreak", "rule", "date", "status", "mention", "emoji", "taskItem"])
"""What they say stands in their attributes."""


def _types(part: Any) -> set[str]:
    return set(part.get("properties", {}).get("type", {}).get("enum", []))


@pytest.mark.shared
@pytest.mark.parametrize(
    "broken",
    [
        None,
        7,
        [],
        {},
        {"type": 3, "content": "x"},
        doc(None, 5, ["x"], {"content": [{"text": 4}]}),
        doc({"type": "heading", "attrs": {"level": "x"}, "content": {"type": "text"}}),
        doc(para({"type": "date", "attrs": {"timestamp": "nan"}}, {"type": "date"})),
        doc(para({"type": "text", "text": "x", "marks": [None, {"type": "link"}]})),
        doc({"type": "table", "content": [para(text("x"))]}),
        doc({"type": "panel", "attrs": {"panelType": []}}),
    ],
)
def test_malformed_documents_are_read_as_far_as_they_go(broken: object) -> None:
    read = from_adf(broken)
    assert isinstance(read.plain(), str)
    assert not list(schema().iter_errors(to_adf(read.blocks)))


def test_deep_nesting_neither_raises_nor_loses_text() -> None:
    nested: dict[str, object] = para(text("bottom"))
    for _ in range(3000):
        nested = node("blockquote", nested)
    assert "bottom" in from_adf(doc(nested)).plain()


def test_large_documents_take_linear_time() -> None:
    many = doc(para(*[text("x", {"type": "em"}) for _ in range(20_000)]))
    assert len(from_adf(many).plain()) == 20_000


json_like = st.recursive(
    st.one_of(st.none(), st.integers(), st.text(max_size=5)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.fixed_dictionaries(
            {
                "type": st.sampled_from(
                    [
                        "doc",
                        "paragraph",
                        "heading",
                        "bulletList",
                        "listItem",
                        "table",
                        "tableRow",
                        "tableCell",
                        "text",
                        "taskList",
                        "taskItem",
                        "blockTaskItem",
                        "panel",
                        "expand",
                        "media",
                        "mention",
                        "date",
                        "status",
                        "inlineCard",
                        "blockCard",
                        "extension",
                        "decisionList",
                        "decisionItem",
                        "odd",
                    ]
                )
            },
            optional={"content": inner, "attrs": inner, "marks": inner, "text": inner},
        ),
    ),
    max_leaves=20,
)


@given(json_like)
def test_anything_is_read(value: object) -> None:
    assert isinstance(from_adf(value).plain(), str)


@pytest.mark.shared
@pytest.mark.parametrize(
    "wrong",
    [text(""), node("panel", node("expand", para())), node("heading", level=9), para(para())],
)
def test_the_schema_refuses_what_jira_refuses(wrong: object) -> None:
    assert list(schema().iter_errors(doc(wrong)))


@pytest.mark.shared
@given(documents)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_document_that_is_written_is_valid(blocks: tuple[Block, ...]) -> None:
    written = to_adf(blocks)
    assert [e.message for e in schema().iter_errors(written)] == []
    assert all(HTTP.match(href) for href in _hrefs(written))
    json.dumps(written, ensure_ascii=False).encode()


def _hrefs(value: Any) -> list[str]:
    """Every address in the document, whatever it is the address of."""
    if isinstance(value, dict):
        own = [value[name] for name in ("href", "url") if isinstance(value.get(name), str)]
        return own + [h for v in value.values() for h in _hrefs(v)]
    return [h for v in value for h in _hrefs(v)] if isinstance(value, list) else []


@given(well_formed)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_written_is_read_back(blocks: tuple[Block, ...]) -> None:
    assert from_adf(to_adf(blocks)).plain() == Document(blocks).plain()


def test_misplaced_blocks_are_restructured() -> None:
    table = Block(
        "table",
        children=(
            Block("row", children=(Block("cell", children=(paragraph("a"),)), Block("cell"))),
        ),
    )
    inside = Block("panel", title="T", children=(table, expand("more", paragraph("x"))))
    assert from_adf(to_adf([inside])).plain() == "T\n\na | \n\nmore\n\nx"
    codes = to_adf([paragraph(Span("x", code=True, strong=True, small=True))])
    assert codes["content"] == [para(text("x", {"type": "code"}))]
