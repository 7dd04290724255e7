"""Reads JSON that somebody else has written: strictly, and without a surprise later on.

What is read here can be stored in any database and shown on any page.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

DEEPEST = 60
IDENTITY = re.compile(r"[0-9A-Za-z:._@+\-]{1,128}")


class Malformed(ValueError):
    """The bytes are not what they should be. The message names what is wrong."""


def load(body: bytes) -> Mapping[str, Any]:
    try:
        text = body.decode("utf-8")
        if "\x00" in text:
            raise Malformed("the body holds a NUL byte")
        payload = json.loads(text, object_pairs_hook=_unique, parse_constant=_no_constant)
    except UnicodeDecodeError:
        raise Malformed("the body is not UTF-8") from None
    except RecursionError:
        raise Malformed("the body is nested too deeply") from None
    except ValueError as fault:
        raise fault if isinstance(fault, Malformed) else Malformed("the body is not JSON") from None
    if not isinstance(payload, dict):
        raise Malformed("the body is not a JSON object")
    if _depth(payload) > DEEPEST:
        raise Malformed("the body is nested too deeply")
    return payload


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise Malformed("a key stands twice in one object")
    return found


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"{name} is not JSON")


def _depth(payload: object) -> int:
    depth, level = 0, [payload]
    while level:
        depth += 1
        inner: list[object] = []
        for node in level:
            inner.extend(node.values() if isinstance(node, dict) else node)  # type: ignore[arg-type]
        level = [node for node in inner if isinstance(node, dict | list)]
    return depth


def mapping(parent: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = parent.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise Malformed(f"{name} is not an object")
    return value


def identity(parent: Mapping[str, Any], name: str) -> str | None:
    value = parent.get(name)
    if value is None:
        return None
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        value = str(value)
    if not isinstance(value, str) or not IDENTITY.fullmatch(value):
        raise Malformed(f"{name} is not an identifier")
    return value


def shown(text: str) -> str:
    """Of foreign text, what a database takes and a page can show: no NUL, no lone surrogate."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def text(parent: Mapping[str, Any], name: str) -> str | None:
    value = parent.get(name)
    return value if isinstance(value, str) and IDENTITY.fullmatch(value) else None
