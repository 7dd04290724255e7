"""Wiki markup into blocks: total, line by line, linear in the length of the text."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from app.core.text import (
    Block,
    Document,
    Kind,
    Span,
    far_below,
    joined,
    paragraph,
    visible,
    words,
)
from app.core.wiki.inline import spans_of
from app.core.wiki.lists import Entry, nested, ticked
from app.core.wiki.lostlines import with_lines
from app.core.wiki.pale import without_pale
from app.core.wiki.tables import in_cell, row_of

_MACRO = re.compile(
    r"(?<!\\)\{(code|noformat|quote|panel|expand)(?::([^{}\n]{0,300}))?\}|^```([\w+#-]{0,20})$",
    re.IGNORECASE | re.MULTILINE,
)
_ENDS = {
    "code": re.compile(r"\{code\}", re.IGNORECASE),
    "noformat": re.compile(r"\{noformat\}", re.IGNORECASE),
    "```": re.compile(r"^```\s*$", re.MULTILINE),
}
_HEADING = re.compile(r"\s*h([1-6])\.\s*(.*)", re.DOTALL)
_QUOTE = re.compile(r"\s*bq\.\s+(.*)", re.DOTALL)
_RULE = re.compile(r"\s*-{4,}\s*")
_ITEM = re.compile(r"\s*([*#]{1,20}-?|-)\s+(\S.*)?", re.DOTALL)
_BLANK_LINES = re.compile(r"\n{2,}")


def from_wiki(text: str) -> Document:
    """The text as blocks. Without any line break it is taken for one that has lost them."""
    clean, hidden = visible(text.replace("\r\n", "\n").replace("\r", "\n"))
    seen, pale = without_pale(clean)
    lines, lost = with_lines(seen)
    reader = _Reader(lost)
    reader.read(lines)
    hidden = hidden or pale or far_below(seen)
    return Document(reader.done(), tuple(reader.unread), hidden)


@dataclass(slots=True)
class _Frame:
    """An open {quote}, {panel} or {expand}, or the document itself."""

    kind: Kind | None
    title: str = ""
    blocks: list[Block] = field(default_factory=list)


class _Reader:
    def __init__(self, lost: bool) -> None:
        self._lost = lost
        self.unread: dict[str, None] = {}
        self._frames = [_Frame(None)]
        self._lines: list[str] = []
        self._entries: list[Entry] = []
        self._rows: list[str] = []
        self._in_row = False

    def read(self, text: str) -> None:
        at, endless = 0, set[str]()
        while (found := _MACRO.search(text, at)) is not None:
            before = text[at : found.start()]
            self._text(before, inner=at > 0)
            self._in_row = self._is_in_row(before)
            name = (found[1] or "```").lower()
            at = found.end()
            if name not in _ENDS:
                self._frame("quote" if name == "quote" else _container(name), found[2] or "")
            elif name not in endless:
                end = _ENDS[name].search(text, at)
                if end is None:  # never closed: what follows is read as text, not hidden as code
                    endless.add(name)
                    continue
                self._code(text[at : end.start()], found[2] or found[3] or "")
                at = end.end()
        self._text(text[at:], inner=at > 0)

    def done(self) -> tuple[Block, ...]:
        self._flush()
        while len(self._frames) > 1:
            self._close()
        return tuple(self._frames[0].blocks)

    def _text(self, text: str, *, inner: bool) -> None:
        """Lines; the rest of a line before or after a macro is no blank line of its own."""
        lines = text.split("\n")
        if self._in_row and lines[0].strip():
            self._rows[-1] += lines.pop(0).rstrip()
        self._in_row = False
        if inner and lines and not lines[0].strip():
            del lines[0]
        if lines and not lines[-1].strip():
            del lines[-1]
        for line in lines:
            self._line(line)

    def _is_in_row(self, before: str) -> bool:
        """Whether what follows stands in a cell: its row is not ended, or goes on in this line."""
        beside = bool(before.rpartition("\n")[2].strip())
        return bool(self._rows) and (beside or not self._rows[-1].endswith("|"))

    def _line(self, line: str) -> None:
        if not line.strip():
            self._flush()
        elif line.lstrip().startswith("|"):
            self._flush(but="rows")
            self._rows.append(line.strip())
        elif self._rows and not self._rows[-1].endswith("|"):
            self._rows[-1] += "\n" + line.strip()
        elif (heading := _HEADING.fullmatch(line)) and heading[2].strip():
            self._flush()
            spans = self._spans(heading[2].strip())
            self._add(Block("heading", spans=spans, level=int(heading[1])))
        elif quote := _QUOTE.fullmatch(line):
            self._flush()
            self._add(Block("quote", children=self._paragraph([quote[1]])))
        elif _RULE.fullmatch(line):
            self._flush()
            self._add(Block("rule"))
        elif entry := _ITEM.fullmatch(line):
            self._flush(but="entries")
            self._entries.append(Entry(entry[1], lines=[entry[2] or ""]))
        elif self._entries:
            self._entries[-1].lines.append(line.strip())
        else:
            self._flush(but="lines")
            self._lines.append(line.strip())

    def _code(self, text: str, params: str) -> None:
        language, title = _code_params(params)
        blocks = [paragraph(title)] if title else []
        body = text.strip("\n") if "\n" in text else text.strip()
        if self._lost:  # four blanks were an indent here, not a blank line
            body = _BLANK_LINES.sub("\n", body)
        blocks += [Block("code", spans=(Span(body),), language=language)] if body.strip() else []
        if self._in_row:
            self._rows[-1] += f"{title} {in_cell(body)}".strip()
            return
        if self._entries:  # no blank line since the item: it belongs to it
            entry = self._entries[-1]
            entry.blocks.extend([*self._paragraph(entry.lines), *blocks])
            entry.lines.clear()
            return
        self._flush()
        self._frames[-1].blocks.extend(blocks)

    def _frame(self, kind: Kind, params: str) -> None:
        """The same macro opens and closes: an open one of its kind is closed."""
        self._flush()
        if any(frame.kind == kind for frame in self._frames):
            while self._frames[-1].kind != kind:
                self._close()
            self._close()
            return
        self._frames.append(_Frame(kind, _title(params, named=kind == "panel")))

    def _close(self) -> None:
        self._flush()
        frame = self._frames.pop()
        if frame.blocks and frame.kind is not None:
            title = "" if frame.kind == "quote" else frame.title
            self._add(Block(frame.kind, children=tuple(frame.blocks), title=title))

    def _flush(self, but: str = "") -> None:
        """Ends whatever is open except the kind of lines that is about to go on."""
        if but != "lines" and self._lines:
            self._frames[-1].blocks.extend(self._paragraph(self._lines))
            self._lines = []
        if but != "rows" and self._rows:
            rows = tuple(row_of(row, self._cell) for row in self._rows)
            self._rows = []
            self._add(Block("table", children=rows))
        if but != "entries" and self._entries:
            entries, self._entries = self._entries, []
            for entry in entries:
                entry.blocks.extend(self._paragraph(entry.lines))
            self._frames[-1].blocks.extend(ticked(block) for block in nested(entries))

    def _cell(self, text: str) -> tuple[Block, ...]:
        """A list needs a line of its own in a cell, or to begin it."""
        if "\n" not in text and not text.startswith(("* ", "# ")):
            return self._paragraph([text])
        inner = _Reader(self._lost)
        inner.unread = self.unread
        for line in text.split("\n"):
            inner._line(line)
        return inner.done()

    def _add(self, block: Block) -> None:
        self._frames[-1].blocks.append(block)

    def _paragraph(self, lines: list[str]) -> tuple[Block, ...]:
        spans = self._spans("\n".join(lines))
        return (Block("paragraph", spans=spans),) if words(spans).strip() else ()

    def _spans(self, text: str) -> tuple[Span, ...]:
        spans: list[Span] = []
        for position, line in enumerate(text.split("\n")):
            spans.extend([Span("\n")] if position else [])
            spans.extend(spans_of(line.removesuffix("\\\\"), self._miss))
        return joined(spans)

    def _miss(self, name: str) -> None:
        self.unread[" ".join(name.split())[:80] or "a macro"] = None


def _container(name: str) -> Kind:
    return "panel" if name == "panel" else "expand"


def _title(params: str, *, named: bool) -> str:
    for part in params.split("|"):
        name, is_named, value = part.partition("=")
        if is_named and name.strip().lower() == "title":
            return value.strip()
    return "" if named or "=" in params else params.strip()


def _code_params(params: str) -> tuple[str, str]:
    """Language and title: the title often is the file's name, so it stays in the text."""
    first = params.split("|")[0].strip()
    return ("" if "=" in first else first), _title(params, named=True)
