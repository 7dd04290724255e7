"""Atlassian Document Format into blocks: total, so that a malformed document is still read.

A node we do not know keeps its text; a macro or a picture is named in `unread`, because what
an author put there was not judged and the comment has to say so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace

from app.core.adf.nodes import (
    CONTAINERS,
    INLINE,
    MACROS,
    MEDIA,
    PANEL_TONES,
    PARTS,
    STATUS_TONES,
    Node,
    attrs_of,
    day_of,
    kind_of,
    macro_name,
    nodes_of,
)
from app.core.colour import WHITE, unseen
from app.core.text import (
    FAR,
    Block,
    Document,
    Kind,
    Span,
    far_below,
    from_plain,
    joined,
    safe_link,
    visible,
    words,
)

MAX_DEPTH = 24
"""Deeper content is read as text only: nobody writes it, and it must not exhaust the stack."""


def from_adf(doc: object) -> Document:
    """The document as blocks. A string is read as plain text, anything else unfit as empty."""
    if isinstance(doc, str):
        return from_plain(doc)
    reader = _Reader()
    blocks = reader.blocks([doc] if isinstance(doc, dict) else doc, 0)
    return Document(blocks, tuple(reader.unread), reader.hidden)


class _Reader:
    """Collects, beside the blocks, what was not read and whether anything was hidden."""

    def __init__(self) -> None:
        self.unread: dict[str, None] = {}
        self.hidden = False
        self._ground: object = WHITE
        self._blank = 0

    def blocks(self, content: object, depth: int) -> tuple[Block, ...]:
        """Blocks of mixed content; inline nodes that stray among blocks become a paragraph."""
        out: list[Block] = []
        stray: list[Node] = []
        for node in nodes_of(content):
            if self._is_inline(node):
                stray.append(node)
                continue
            out.extend(self._paragraph(self.spans(stray)))
            stray = []
            out.extend(self._block(node, depth))
        out.extend(self._paragraph(self.spans(stray)))
        return tuple(out)

    def _is_inline(self, node: Node) -> bool:
        kind = kind_of(node)
        if kind in INLINE:
            return True
        return kind not in CONTAINERS and kind not in MEDIA and isinstance(node.get("text"), str)

    def _block(self, node: Node, depth: int) -> Iterable[Block]:
        kind = kind_of(node)
        if depth >= MAX_DEPTH:
            return self._paragraph((Span(self._all_text(node)),))
        if kind in MEDIA:
            return self._media(node, depth)
        if kind in MACROS:
            self._miss(macro_name(node))
            return self.blocks(node.get("content"), depth + 1)
        if kind in CONTAINERS:
            return [self._container(node, CONTAINERS[kind], depth)]
        read: Callable[[Node, int], Iterable[Block]] = {
            "paragraph": self._text_block,
            "heading": self._heading,
            "taskList": self._tasks,
            "taskItem": self._task,
            "blockTaskItem": self._task,
            "decisionItem": self._decision,
            "codeBlock": self._code,
            "rule": self._rule,
            "blockCard": self._card,
            "embedCard": self._card,
        }.get(kind, self._unknown)
        return read(node, depth)

    def _text_block(self, node: Node, _depth: int) -> Iterable[Block]:
        return self._paragraph(self.spans(nodes_of(node.get("content"))))

    def _paragraph(self, spans: tuple[Span, ...]) -> Iterable[Block]:
        return [Block("paragraph", spans=spans)] if self._shown(words(spans)) else []

    def _shown(self, text: str) -> bool:
        """Whether there is any text; what stands below many blank lines is read and told."""
        lines = text.split("\n")
        if not text.strip():
            self._blank += len(lines)
            return False
        first = next(at for at, line in enumerate(lines) if line.strip())
        self.hidden = self.hidden or self._blank + first > FAR or far_below(text)
        self._blank = 0
        return True

    def _heading(self, node: Node, _depth: int) -> Iterable[Block]:
        spans = self.spans(nodes_of(node.get("content")))
        level = attrs_of(node).get("level")
        number = level if isinstance(level, int) else 1
        if not self._shown(words(spans)):
            return []
        return [Block("heading", spans=spans, level=min(6, max(1, number)))]

    def _container(self, node: Node, kind: Kind, depth: int) -> Block:
        attrs = attrs_of(node)
        ground, self._ground = self._ground, self._ground_of(attrs)
        children = self.blocks(node.get("content"), depth + 1)
        self._ground = ground
        part = PARTS.get(kind)
        if part is not None:
            children = tuple(c if c.kind == part else Block(part, children=(c,)) for c in children)
        tone = PANEL_TONES.get(str(attrs.get("panelType")), "neutral")
        return Block(
            kind,
            children=children,
            title=self._clean(attrs.get("title")) if kind == "expand" else "",
            tone=tone if kind == "panel" else "neutral",
            header=kind_of(node) == "tableHeader",
        )

    def _ground_of(self, attrs: Node) -> object:
        """A coloured cell or panel; white text on dark is seen."""
        return attrs.get("background") or attrs.get("panelColor") or self._ground

    def _tasks(self, node: Node, depth: int) -> Iterable[Block]:
        """Lists inside lists are put into one: what matters is each task and its tick."""
        tasks: list[Block] = []
        for block in self.blocks(node.get("content"), depth + 1):
            tasks.extend(block.children if block.kind == "tasks" else [block])
        kept = (t if t.kind == "task" else Block("task", spans=_flat_spans(t)) for t in tasks)
        return [Block("tasks", children=tuple(kept))] if tasks else []

    def _task(self, node: Node, depth: int) -> Iterable[Block]:
        inner = self.blocks(node.get("content"), depth + 1)
        done = attrs_of(node).get("state") == "DONE"
        spans = _flat_spans(Block("item", children=inner))
        return [Block("task", spans=spans, checked=done)]

    def _decision(self, node: Node, depth: int) -> Iterable[Block]:
        return [Block("item", children=self.blocks(node.get("content"), depth + 1))]

    def _code(self, node: Node, _depth: int) -> Iterable[Block]:
        text = "".join(self._clean(n.get("text")) for n in nodes_of(node.get("content")))
        language = self._clean(attrs_of(node).get("language")).strip()[:40]
        return [Block("code", spans=(Span(text),), language=language)] if self._shown(text) else []

    def _rule(self, _node: Node, _depth: int) -> Iterable[Block]:
        return [Block("rule")]

    def _card(self, node: Node, _depth: int) -> Iterable[Block]:
        spans = self._address(node)
        if not spans:
            self._miss("a list of work items")
        return self._paragraph(spans)

    def _media(self, node: Node, depth: int) -> Iterable[Block]:
        """The picture is named, its caption is read."""
        if kind_of(node) == "media":
            attrs = attrs_of(node)
            self._miss(self._label(attrs.get("alt") or attrs.get("url"), "an attachment"))
            return ()
        return self.blocks(node.get("content"), depth + 1)

    def _unknown(self, node: Node, depth: int) -> Iterable[Block]:
        return self.blocks(node.get("content"), depth + 1)

    def spans(self, nodes: Sequence[Node]) -> tuple[Span, ...]:
        """Neighbours with the same marks are one span, so that offsets mean the same to all."""
        found = [span for node in nodes for span in self._inline(node) if span.text]
        return joined(found)

    def _inline(self, node: Node) -> Iterable[Span]:
        attrs, kind = attrs_of(node), kind_of(node)
        match kind:
            case "hardBreak":
                return [Span("\n")]
            case "mention":
                account = self._clean(attrs.get("id"))
                name = self._clean(attrs.get("text")) or f"@{account}"
                return [Span(name, mention=account or None)]
            case "emoji":
                return [Span(self._clean(attrs.get("text")) or self._clean(attrs.get("shortName")))]
            case "date":
                return [Span(day_of(attrs.get("timestamp")))]
            case "status":
                tone = STATUS_TONES.get(str(attrs.get("color")), "neutral")
                return [Span(self._clean(attrs.get("text")), status=tone)]
            case "inlineCard":
                return self._address(node)
            case "placeholder" | "inlineExtension":
                self._miss(macro_name(node))
                return []
            case "mediaInline" | "media":
                self._miss(self._label(attrs.get("alt"), "an attachment"))
                return []
            case "text":
                return [self._marked(node)]
        return [Span(self._all_text(node))]

    def _marked(self, node: Node) -> Span:
        span = Span(self._clean(node.get("text")))
        if self._is_unseen(node):
            self.hidden = self.hidden or bool(span.text.strip())
            return replace(span, text="")
        for mark in nodes_of(node.get("marks")):
            match kind_of(mark):
                case "strong":
                    span = replace(span, strong=True)
                case "em":
                    span = replace(span, em=True)
                case "strike":
                    span = replace(span, strike=True)
                case "code":
                    span = replace(span, code=True)
                case "subsup":
                    span = replace(span, small=True)
                case "link":
                    span = replace(span, link=safe_link(attrs_of(mark).get("href")))
        return span

    def _is_unseen(self, node: Node) -> bool:
        """Text in the colour of what it stands on. In code Jira shows no colours."""
        colours = {kind_of(m): attrs_of(m).get("color") for m in nodes_of(node.get("marks"))}
        ground = colours.get("backgroundColor") or self._ground
        return "code" not in colours and unseen(colours.get("textColor"), ground)

    def _address(self, node: Node) -> tuple[Span, ...]:
        attrs = attrs_of(node)
        data = attrs.get("data")
        url = attrs.get("url") or (data.get("url") if isinstance(data, dict) else None)
        text = self._clean(url)
        return (Span(text, link=safe_link(text)),) if text else ()

    def _all_text(self, top: Node) -> str:
        """Every text below a node, without recursion."""
        found: list[str] = []
        waiting: list[Node] = [top]
        while waiting:
            node = waiting.pop()
            found.append(self._clean(node.get("text")))
            waiting.extend(reversed(nodes_of(node.get("content"))))
        return " ".join(part for part in found if part)

    def _clean(self, value: object) -> str:
        if not isinstance(value, str):
            return ""
        kept, hidden = visible(value.replace("\r\n", "\n").replace("\r", "\n"))
        self.hidden = self.hidden or hidden
        return kept

    def _label(self, value: object, otherwise: str) -> str:
        return " ".join(self._clean(value).split())[:80] or otherwise

    def _miss(self, name: str) -> None:
        self.unread[self._label(name, "a macro")] = None


def _flat_spans(block: Block) -> tuple[Span, ...]:
    """The spans of a block and of those in it, one line break between blocks."""
    out: list[Span] = []
    for leaf in _leaves(block):
        out.extend([Span("\n"), *leaf.spans] if out else leaf.spans)
    return tuple(out)


def _leaves(block: Block) -> Iterable[Block]:
    if block.spans:
        yield block
    for child in block.children:
        yield from _leaves(child)
