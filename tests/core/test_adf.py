"""Atlassian Document Format: read whole, written valid, cut where Jira would refuse it."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend

from app.core.adf import fit, from_adf, to_adf
from app.core.text import Block, Document, Span, bullets, expand, item, paragraph
from tests.core.generated import documents, well_formed

SHARED = Path(os.environ.get("SHARED_DIR", "../shared")) / "contracts/adf/adf-full-v1.json"


@cache
def _schema() -> Any:
    if not SHARED.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is needed in CI")
        pytest.skip(f"{SHARED} is not there: set SHARED_DIR")
    schema = json.loads(SHARED.read_text())
    definitions = schema["definitions"]

    def named(part: dict[str, Any]) -> Any:
        part = definitions[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        return named(part["allOf"][0]) if "allOf" in part else part

    def any_of(validator: Any, parts: Any, value: Any, _schema: object) -> Any:
        """Tries only those of the alternatives that are for a node of this type: same answer,
        a hundred times faster."""
        kind = value.get("type") if isinstance(value, dict) else None
        for part in parts:
            kinds = named(part).get("properties", {}).get("type", {}).get("enum")
            if kinds and kind not in kinds:
                continue
            if not any(validator.descend(value, part)):
                return
        yield ValidationError(f"{value!r} is none of {parts!r}"[:300])

    return extend(Draft4Validator, {"anyOf": any_of})(schema)  # type: ignore[no-untyped-call]


def doc(*nodes: object) -> dict[str, object]:
    return {"type": "doc", "version": 1, "content": list(nodes)}


def text(words: str, *marks: object) -> dict[str, object]:
    return (
        {"type": "text", "text": words, "marks": list(marks)}
        if marks
        else {
            "type": "text",
            "text": words,
        }
    )


def para(*nodes: object) -> dict[str, object]:
    return {"type": "paragraph", "content": list(nodes)}


def node(kind: str, *nodes: object, **attrs: object) -> dict[str, object]:
    return {"type": kind, "attrs": attrs, "content": list(nodes)}


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
    assert not list(_schema().iter_errors(to_adf(read.blocks)))


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
    assert list(_schema().iter_errors(doc(wrong)))


@pytest.mark.shared
@given(documents)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_every_document_that_is_written_is_valid(blocks: tuple[Block, ...]) -> None:
    written = to_adf(blocks)
    assert [e.message for e in _schema().iter_errors(written)] == []
    assert "javascript:" not in json.dumps(_hrefs(written))
    json.dumps(written, ensure_ascii=False).encode()


def _hrefs(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["attrs"]["href"]] if value.get("type") == "link" else []
        return own + [h for v in value.values() for h in _hrefs(v)]
    return [h for v in value for h in _hrefs(v)] if isinstance(value, list) else []


@given(well_formed)
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_what_is_written_is_read_back(blocks: tuple[Block, ...]) -> None:
    assert from_adf(to_adf(blocks)).plain() == Document(blocks).plain()


@given(documents, st.integers(300, 2000))
@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow], deadline=None)
def test_a_cut_comment_fits(blocks: tuple[Block, ...], limit: int) -> None:
    cut = fit(blocks, limit, "Cut here.", "https://x.example/all")
    assert len(json.dumps(to_adf(cut), ensure_ascii=False)) <= limit


@pytest.mark.parametrize("limit", [900, 1200, 1500])
def test_the_title_of_a_fold_counts(limit: int) -> None:
    long = expand("t" * 400, *[paragraph("x" * 500) for _ in range(5)])
    cut = fit([paragraph("head"), long], limit, "Cut.")
    assert [block.kind for block in cut] == ["paragraph", "expand", "paragraph"]
    assert len(json.dumps(to_adf(cut), ensure_ascii=False)) <= limit


def test_a_long_comment_loses_its_folds_before_its_last_line() -> None:
    long = expand("All", bullets(*[item(paragraph(f"check {n} " + "x" * 60)) for n in range(500)]))
    cut = fit([paragraph("head"), long, paragraph("foot")], more="Cut.")
    assert cut[0] == paragraph("head")
    assert cut[2:] == (paragraph("foot"), paragraph(Span("Cut.", em=True)))
    assert 100 < len(cut[1].children[0].children) < 500
    assert fit([paragraph("short")]) == (paragraph("short"),)


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
