"""Blocks as hypothesis makes them: any text in any nesting, right or wrong."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from typing import get_args

from hypothesis import strategies as st

from app.core.text import Block, Kind, Span, Tone

LEAVES: tuple[Kind, ...] = ("heading", "paragraph", "code", "task")
PARENTS: tuple[Kind, ...] = tuple(k for k in get_args(Kind) if k not in LEAVES)

hostile_text = st.one_of(
    st.text(max_size=30),
    st.text(alphabet="{}[]|*_-+!~^\\#?:/ h1.\nbq(x)@&;", max_size=30),
    st.sampled_from(
        [
            "{code}",
            "{code:title=x}rm -rf{code}",
            "[click|javascript:alert(1)]",
            "!http://x/y.png!",
            "[~admin]",
            "h1. x",
            "----",
            "||a||\n|b|",
            "\u202eabc",
            "\u200b",
            "&#91;x&#93;",
            "a  b",
        ]
    ),
)
links = st.one_of(
    st.none(),
    st.sampled_from(
        [
            "https://x.example/a|b",
            "javascript:alert(1)",
            "mailto:a@x.example",
            "//x.example",
            "HTTP\u017f://x",
            "",
        ]
    ),
)
# What is independent and small is drawn at once: a choice costs far more than what it chooses.
bools = (False, True)


def span_of(
    text: str, marks: Sequence[bool], link: str | None, mention: str | None, status: Tone | None
) -> Span:
    strong, em, strike, code, small = marks
    return Span(text, strong, em, strike, code, small, link, mention, status)


spans = st.builds(
    span_of,
    hostile_text,
    st.sampled_from(list(product(bools, repeat=5))),  # strong, em, strike, code, small
    links,
    st.one_of(st.none(), st.none(), st.text(max_size=8)),
    st.sampled_from([*[None] * 2 * len(get_args(Tone)), *get_args(Tone)]),
)
leaves = st.builds(
    lambda given, spans, level, language: Block(
        given[0], tuple(spans), level=level, language=language, checked=given[1]
    ),
    st.sampled_from(list(product(LEAVES, bools))),
    st.lists(spans, max_size=4),
    st.integers(-1, 9),
    st.text(max_size=5),
)
anything = st.recursive(
    leaves,
    lambda inner: st.builds(
        lambda given, children, title: Block(
            given[0], children=tuple(children), title=title, tone=given[1], header=given[2]
        ),
        st.sampled_from(list(product(PARENTS, get_args(Tone), bools))),
        st.lists(inner, max_size=4),
        hostile_text,
    ),
    max_leaves=12,
)
documents = st.lists(anything, max_size=4).map(tuple)

# Text and nesting that Jira can hold as they are: for these nothing may change on the way.
_word = st.text(alphabet="abcXYZ019 äß→é.,", min_size=1, max_size=12).filter(str.strip)
_span = st.builds(
    Span,
    _word.map(str.strip),
    strong=st.booleans(),
    em=st.booleans(),
    link=st.sampled_from([None, "https://x.example/a"]),
)
_line = st.builds(Block, st.just("paragraph"), spans=_span.map(lambda s: (s,)))
_code = st.builds(Block, st.just("code"), spans=_span.map(lambda s: (Span(s.text),)))
_task = st.builds(Block, st.just("task"), spans=_span.map(lambda s: (s,)), checked=st.booleans())
_lists = st.recursive(
    st.builds(Block, st.just("item"), children=_line.map(lambda b: (b,))),
    lambda item: st.builds(
        Block,
        st.just("item"),
        children=st.tuples(
            _line,
            st.builds(
                Block,
                st.sampled_from(["bullets", "numbers"]),
                children=st.lists(item, min_size=1, max_size=3).map(tuple),
            ),
        ),
    ),
    max_leaves=5,
).map(lambda item: Block("bullets", children=(item,)))
_ticks = st.builds(
    Block, st.just("tasks"), children=st.lists(_task, min_size=1, max_size=2).map(tuple)
)
_cell = st.builds(
    Block,
    st.just("cell"),
    children=st.one_of(_line, _line, _lists, _ticks).map(lambda b: (b,)),
    header=st.booleans(),
)
_row = st.builds(Block, st.just("row"), children=st.lists(_cell, min_size=1, max_size=3).map(tuple))
_inner = st.one_of(_line, _lists, _code)
well_formed = st.lists(
    st.one_of(
        _inner,
        st.builds(
            Block, st.just("heading"), spans=_span.map(lambda s: (s,)), level=st.integers(1, 6)
        ),
        st.just(Block("rule")),
        st.builds(Block, st.just("tasks"), children=st.lists(_task, min_size=1).map(tuple)),
        st.builds(Block, st.just("table"), children=st.lists(_row, min_size=1).map(tuple)),
        st.builds(
            Block,
            st.sampled_from(["quote", "panel", "expand"]),
            children=st.lists(_inner, min_size=1, max_size=3).map(tuple),
        ),
    ),
    max_size=5,
).map(tuple)
