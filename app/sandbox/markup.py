"""Texts of issues and comments: kept as written, shown as ADF (v3) or wiki markup (v2)."""

from __future__ import annotations

from typing import Any

from app.core.adf import from_adf, to_adf
from app.core.text import Document
from app.core.wiki import from_wiki, to_wiki

LIMIT = 32_767
"""Longest text of a field, in characters. What Jira counts in ADF is not documented; here it is
the characters of its text nodes."""

NODES = frozenset(
    [
        "blockCard",
        "blockquote",
        "bodiedExtension",
        "bulletList",
        "caption",
        "codeBlock",
        "date",
        "decisionItem",
        "decisionList",
        "doc",
        "embedCard",
        "emoji",
        "expand",
        "extension",
        "hardBreak",
        "heading",
        "inlineCard",
        "inlineExtension",
        "layoutColumn",
        "layoutSection",
        "listItem",
        "media",
        "mediaGroup",
        "mediaInline",
        "mediaSingle",
        "mention",
        "nestedExpand",
        "orderedList",
        "panel",
        "paragraph",
        "placeholder",
        "rule",
        "status",
        "table",
        "tableCell",
        "tableHeader",
        "tableRow",
        "taskItem",
        "blockTaskItem",
        "taskList",
        "text",
    ]
)
DEPTH = 60


class RichText:
    """One text in the form it was written; the other form is made when first asked for."""

    __slots__ = ("_adf", "_wiki", "_written")

    def __init__(self, written: str | dict[str, Any]) -> None:
        self._written = written
        self._adf = written if isinstance(written, dict) else None
        self._wiki = written if isinstance(written, str) else None

    def adf(self) -> dict[str, Any]:
        if self._adf is None:
            self._adf = to_adf(self.document().blocks)
        return self._adf

    def wiki(self) -> str:
        if self._wiki is None:
            self._wiki = to_wiki(self.document().blocks)
        return self._wiki

    def document(self) -> Document:
        written = self._written
        return from_wiki(written) if isinstance(written, str) else from_adf(written)

    def plain(self) -> str:
        return self.document().plain()

    def length(self) -> int:
        written = self._written
        return len(written) if isinstance(written, str) else _characters(written)


def adf_fault(value: object) -> str:
    """Why a value is not an Atlassian document, or nothing. Light: shape and node names.

    https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
    """
    if not isinstance(value, dict):
        return "not an object"
    if value.get("type") != "doc" or value.get("version") != 1:
        return "the root is not a doc of version 1"
    if not isinstance(value.get("content"), list):
        return "the doc has no content"
    return _content_fault(value["content"], 0)


def _content_fault(content: object, depth: int) -> str:
    if not isinstance(content, list):
        return "content is not a list"
    if depth > DEPTH:
        return "nested too deeply"
    for node in content:
        fault = _node_fault(node, depth)
        if fault:
            return fault
    return ""


def _node_fault(node: object, depth: int) -> str:
    if not isinstance(node, dict) or node.get("type") not in NODES:
        kind = node.get("type") if isinstance(node, dict) else node
        return f"unknown node {str(kind)[:40]!r}"
    if node["type"] == "text" and not (isinstance(node.get("text"), str) and node["text"]):
        return "a text node without text"
    return _content_fault(node.get("content", []), depth + 1)


def _characters(node: object) -> int:
    if not isinstance(node, dict):
        return 0
    own = len(node["text"]) if isinstance(node.get("text"), str) else 0
    content = node.get("content")
    return own + sum(_characters(child) for child in content) if isinstance(content, list) else own
