"""Atlassian documents as HTML, about as Jira shows them.

Text comes from people and agents and is hostile: all of it is escaped, links lead to http, https
and mailto only, and no attribute comes out of a document unchecked.
https://developer.atlassian.com/cloud/jira/platform/apis/document/structure/
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from markupsafe import Markup, escape

Node = dict[str, Any]
DEPTH = 60
PANELS = {
    "info": "i",
    "note": "✎",
    "tip": "✓",
    "success": "✓",
    "warning": "!",
    "error": "✕",
    "custom": "•",
}
COLOURS = ("neutral", "purple", "blue", "red", "yellow", "green")
_WRAPS = {
    "bulletList": "ul",
    "listItem": "li",
    "blockquote": "blockquote",
    "tableRow": "tr",
}
_OPEN = Markup('<input type="checkbox" disabled aria-label="open">')
_DONE = Markup('<input type="checkbox" disabled checked aria-label="done">')
_MARKS = {"strong": "strong", "em": "em", "strike": "s", "underline": "u", "code": "code"}


@dataclass(frozen=True, slots=True)
class _At:
    """Where the rendering stands, and the names of the people who may be mentioned."""

    names: Mapping[str, str] = field(default_factory=dict)
    depth: int = 0

    def deeper(self) -> _At:
        return _At(self.names, self.depth + 1)


def to_html(doc: object, names: Mapping[str, str] | None = None) -> Markup:
    """The document's content; nothing for what is not a document. `names`: account id to name."""
    return _children(doc, _At(names or {})) if isinstance(doc, dict) else Markup("")


def safe_link(href: object) -> str:
    """The address if it may be followed, else nothing."""
    text = str(href or "").strip()
    try:
        scheme = urlsplit(text).scheme.lower()
    except ValueError:
        return ""
    return text if scheme in ("http", "https", "mailto") else ""


def _children(node: Node, at: _At) -> Markup:
    content = node.get("content")
    if at.depth > DEPTH or not isinstance(content, list):
        return Markup("")
    return Markup("").join(_node(child, at.deeper()) for child in content)


def _node(node: object, at: _At) -> Markup:
    if not isinstance(node, dict):
        return Markup("")
    kind = str(node.get("type"))
    if kind in _WRAPS:
        return _tag(_WRAPS[kind], _children(node, at))
    handler = _HANDLERS.get(kind)
    return handler(node, at) if handler else _children(node, at)


def _tag(
    name: str, inside: Markup, css: str = "", attributes: Mapping[str, object] | None = None
) -> Markup:
    """An element. `name` is our own word; attributes are escaped, empty ones left out."""
    pairs = {"class": css, **(attributes or {})}
    written = Markup("").join(
        Markup(' {}="{}"').format(key, value) for key, value in pairs.items() if value
    )
    return Markup("<{}{}>{}</{}>").format(name, written, inside, name)


def _attrs(node: Node) -> dict[str, Any]:
    attrs = node.get("attrs")
    return attrs if isinstance(attrs, dict) else {}


def _paragraph(node: Node, at: _At) -> Markup:
    marks = node.get("marks")
    small = isinstance(marks, list) and any(
        isinstance(mark, dict) and mark.get("type") == "fontSize" for mark in marks
    )
    return _tag("p", _children(node, at), "small" if small else "")


def _heading(node: Node, at: _At) -> Markup:
    level = _attrs(node).get("level")
    number = level if isinstance(level, int) and 1 <= level <= 6 else 3
    return _tag(f"h{number}", _children(node, at))


def _ordered(node: Node, at: _At) -> Markup:
    order = _attrs(node).get("order")
    start = order if isinstance(order, int) and order != 1 else None
    return _tag("ol", _children(node, at), attributes={"start": start})


def _code(node: Node, at: _At) -> Markup:
    language = str(_attrs(node).get("language") or "")
    label = _tag("span", escape(language), "language") if language else Markup("")
    return _tag("div", label + _tag("pre", _tag("code", _children(node, at))), "code")


def _panel(node: Node, at: _At) -> Markup:
    kind = str(_attrs(node).get("panelType"))
    kind = kind if kind in PANELS else "info"
    icon = _tag("span", Markup.escape(PANELS[kind]), "icon")
    return _tag("div", icon + _tag("div", _children(node, at), "inside"), f"panel {kind}")


def _expand(node: Node, at: _At) -> Markup:
    title = escape(str(_attrs(node).get("title") or "Details"))
    return _tag("details", _tag("summary", title) + _tag("div", _children(node, at), "inside"))


def _task_list(node: Node, at: _At) -> Markup:
    return _tag("ul", _children(node, at), "tasks")


def _task(node: Node, at: _At) -> Markup:
    done = _attrs(node).get("state") == "DONE"
    box = _DONE if done else _OPEN
    return _tag("li", box + _tag("span", _children(node, at)), "done" if done else "")


def _table(node: Node, at: _At) -> Markup:
    return _tag("div", _tag("table", _tag("tbody", _children(node, at))), "table")


def _cell(node: Node, at: _At) -> Markup:
    name = "th" if node.get("type") == "tableHeader" else "td"
    spans = {
        attribute: value
        for attribute in ("colspan", "rowspan")
        if isinstance(value := _attrs(node).get(attribute), int) and 1 < value <= 100
    }
    return _tag(name, _children(node, at), attributes=spans)


def _text(node: Node, at: _At) -> Markup:
    out = escape(str(node.get("text") or ""))
    marks = node.get("marks")
    for mark in marks if isinstance(marks, list) else []:
        if not isinstance(mark, dict):
            continue
        kind = str(mark.get("type"))
        if kind in _MARKS:
            out = _tag(_MARKS[kind], out)
        elif kind == "subsup":
            out = _tag("sub" if _attrs(mark).get("type") == "sub" else "sup", out)
        elif kind == "link":
            out = _link(_attrs(mark).get("href"), out)
    return out


def _link(href: object, inside: Markup) -> Markup:
    address = safe_link(href)
    if not address:
        return inside
    safe = {"href": address, "rel": "noopener noreferrer nofollow", "target": "_blank"}
    return _tag("a", inside, attributes=safe)


def _status(node: Node, at: _At) -> Markup:
    colour = str(_attrs(node).get("color"))
    css = colour if colour in COLOURS else "neutral"
    return _tag("span", escape(str(_attrs(node).get("text") or "")), f"lozenge {css}")


def _mention(node: Node, at: _At) -> Markup:
    attrs = _attrs(node)
    account_id = str(attrs.get("id") or "somebody")
    name = at.names.get(account_id) or str(attrs.get("text") or account_id).removeprefix("@")
    return _tag("span", escape(f"@{name}"), "mention")


def _date(node: Node, at: _At) -> Markup:
    try:
        when = datetime.fromtimestamp(int(_attrs(node)["timestamp"]) / 1000, UTC)
    except (KeyError, TypeError, ValueError, OverflowError, OSError):
        return Markup("")
    return _tag("time", escape(f"{when:%d %b %Y}"))


def _emoji(node: Node, at: _At) -> Markup:
    attrs = _attrs(node)
    return escape(str(attrs.get("text") or attrs.get("shortName") or ""))


def _card(node: Node, at: _At) -> Markup:
    url = _attrs(node).get("url")
    return _link(url, escape(str(url or "(a link)")))


def _media(node: Node, at: _At) -> Markup:
    name = escape(str(_attrs(node).get("alt") or "attachment"))
    return _tag("span", Markup("[") + name + Markup("]"), "media")


def _decision(node: Node, at: _At) -> Markup:
    return _tag("div", Markup("↳ ") + _children(node, at), "decision")


_HANDLERS: dict[str, Callable[[Node, _At], Markup]] = {
    "paragraph": _paragraph,
    "heading": _heading,
    "orderedList": _ordered,
    "codeBlock": _code,
    "panel": _panel,
    "expand": _expand,
    "nestedExpand": _expand,
    "taskList": _task_list,
    "taskItem": _task,
    "blockTaskItem": _task,
    "table": _table,
    "tableCell": _cell,
    "tableHeader": _cell,
    "text": _text,
    "status": _status,
    "mention": _mention,
    "date": _date,
    "emoji": _emoji,
    "inlineCard": _card,
    "blockCard": _card,
    "embedCard": _card,
    "media": _media,
    "mediaInline": _media,
    "decisionItem": _decision,
    "hardBreak": lambda node, at: Markup("<br>"),
    "rule": lambda node, at: Markup("<hr>"),
}
