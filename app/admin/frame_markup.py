"""Pages as HTML: templates, and our comments' blocks, with every outside string escaped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape
from markupsafe import Markup, escape

from app.core.comments.phrases import clock
from app.core.money import show
from app.core.text import Block, Span, safe_link

HERE = Path(__file__).parent
STATIC = {
    "admin.css": "text/css",
    "frame.css": "text/css",
    "frame.js": "text/javascript",
    "surface.js": "text/javascript",
    "connect.js": "text/javascript",
    "icon.svg": "image/svg+xml",
}
"""Our own files, by name; nothing else is ever served."""

Names = Mapping[str, str]
"""People by account id, for mentions."""

_MARKS = {
    "strong": Markup("<strong>{}</strong>"),
    "em": Markup("<em>{}</em>"),
    "strike": Markup("<s>{}</s>"),
    "small": Markup("<small>{}</small>"),
    "code": Markup("<code>{}</code>"),
}
_LINK = Markup('<a href="{}" target="_blank" rel="noopener noreferrer">{}</a>')
_FOLD = Markup('<details data-fold="{0}"><summary>{0}</summary>{1}</details>')
_LEAVES = {
    "heading": Markup("<h4>{}</h4>"),
    "paragraph": Markup("<p>{}</p>"),
    "code": Markup('<pre tabindex="0"><code>{}</code></pre>'),
    "rule": Markup("<hr>{}"),
}
_HOLDERS = {
    "bullets": Markup("<ul>{}</ul>"),
    "numbers": Markup("<ol>{}</ol>"),
    "item": Markup("<li>{}</li>"),
    "quote": Markup("<blockquote>{}</blockquote>"),
    "table": Markup('<div class="wide" tabindex="0"><table>{}</table></div>'),
    "row": Markup("<tr>{}</tr>"),
    "panel": Markup("<div>{}</div>"),
    "tasks": Markup("<div>{}</div>"),
}


def web_link(url: object) -> str | None:
    """The address if it may be clicked: http or https, nothing that runs or mails."""
    found = safe_link(url)
    return found if found and found.lower().startswith(("http://", "https://")) else None


def inline(spans: Iterable[Span], names: Names) -> Markup:
    return Markup("").join(_span(span, names) for span in spans)


def _span(span: Span, names: Names) -> Markup:
    if span.status is not None:
        return Markup('<span class="lozenge {}">{}</span>').format(span.status, span.text)
    if span.mention is not None:
        return escape(names.get(span.mention, span.text.removeprefix("@")))
    made = Markup("<br>").join(escape(line) for line in span.text.split("\n"))
    for name, mark in _MARKS.items():
        if getattr(span, name):
            made = mark.format(made)
    link = web_link(span.link)
    return _LINK.format(link, made) if link else made


def markup(block: Block, names: Names) -> Markup:
    """One block of a comment as HTML."""
    text = inline(block.spans, names)
    if block.kind in _LEAVES:
        return _LEAVES[block.kind].format(text)
    inside = Markup("").join(markup(child, names) for child in block.children)
    match block.kind:
        case "expand":
            return _FOLD.format(block.title, inside)
        case "cell":
            cell = Markup("<th>{}</th>") if block.header else Markup("<td>{}</td>")
            return cell.format(inside)
        case "task":
            return Markup("<p>{} {}</p>").format("☑" if block.checked else "☐", text)
    return _HOLDERS[block.kind].format(inside)


def moment(at: datetime | None, zone: str, now: datetime | None = None) -> str:
    return "" if at is None else clock(at, ZoneInfo(zone), now)


def day(at: datetime, zone: str) -> str:
    local = at.astimezone(ZoneInfo(zone))
    return f"{local.day} {local:%b %Y}"


def environment() -> Environment:
    """Everything is escaped, and a name that is missing is a fault and not an empty place."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"web_link": web_link, "money": show, "moment": moment, "markup": markup}
    made.filters |= {"inline": inline, "day": day}
    return made
