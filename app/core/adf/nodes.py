"""The nodes of Atlassian's format: their names, and access that never raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard, cast

from app.core.text import Kind, Tone

PANEL_TONES: dict[str, Tone] = {
    "info": "blue",
    "tip": "green",
    "success": "green",
    "warning": "yellow",
    "error": "red",
}
STATUS_TONES: dict[str, Tone] = {"blue": "blue", "red": "red", "yellow": "yellow", "green": "green"}
CONTAINERS: dict[str, Kind] = {
    "bulletList": "bullets",
    "orderedList": "numbers",
    "listItem": "item",
    "blockquote": "quote",
    "panel": "panel",
    "expand": "expand",
    "nestedExpand": "expand",
    "table": "table",
    "tableRow": "row",
    "tableCell": "cell",
    "tableHeader": "cell",
    "decisionList": "bullets",
}
PARTS: dict[Kind, Kind] = {"bullets": "item", "numbers": "item", "table": "row", "row": "cell"}
INLINE = frozenset(
    [
        "text",
        "hardBreak",
        "mention",
        "emoji",
        "date",
        "status",
        "inlineCard",
        "placeholder",
        "inlineExtension",
        "mediaInline",
    ]
)
MEDIA = frozenset(["mediaSingle", "mediaGroup", "media"])
MACROS = frozenset(["extension", "bodiedExtension", "multiBodiedExtension", "syncBlock"])

Node = dict[str, Any]


def nodes_of(content: object) -> list[Node]:
    """The children that are nodes; a bare string among them is taken for a text node."""
    if not isinstance(content, list):
        return []
    named = [{"type": "text", "text": n} if isinstance(n, str) else n for n in content]
    return [node for node in named if is_node(node)]


def is_node(value: object) -> TypeGuard[Node]:
    return isinstance(value, dict)


def kind_of(node: Node) -> str:
    kind = node.get("type")
    return kind if isinstance(kind, str) else ""


def attrs_of(node: Node) -> Node:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def macro_name(node: Node) -> str:
    attrs = attrs_of(node)
    parameters = attrs.get("parameters")
    title = parameters.get("extensionTitle") if isinstance(parameters, dict) else None
    for name in (title, attrs.get("extensionKey"), kind_of(node)):
        if isinstance(name, str) and name.strip():
            return name
    return ""


def day_of(timestamp: object) -> str:
    """A date node counts milliseconds since 1970; what cannot be a day is shown as it is."""
    try:
        day = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=float(cast(str, timestamp)))
    except (TypeError, ValueError, OverflowError):
        return timestamp if isinstance(timestamp, str) else ""
    return day.date().isoformat()
