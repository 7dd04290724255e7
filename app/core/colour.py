"""Whether text in one colour is seen on another: what is white on white nobody reads but a model."""

from __future__ import annotations

import re

WHITE = "#ffffff"
LEAST = 1.25
"""Contrast below which text is taken for hidden; the palest grey that Jira offers has more."""

_NAMED = frozenset(
    "white snow ivory azure mintcream ghostwhite floralwhite whitesmoke aliceblue honeydew seashell "
    "transparent".split()
)
_HEX = re.compile(r"#?(?:([0-9a-f]{6})(?:[0-9a-f]{2})?|([0-9a-f]{3})[0-9a-f]?)")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\b.*")


def unseen(colour: object, ground: object = WHITE) -> bool:
    """A colour that cannot be read is taken for one that is seen, a ground for white."""
    one, other = _light(colour), _light(ground)
    if one is None:
        return False
    other = 1.0 if other is None else other
    return (max(one, other) + 0.05) / (min(one, other) + 0.05) < LEAST


def _light(colour: object) -> float | None:
    """Relative luminance as the accessibility guidelines reckon it."""
    if not isinstance(colour, str):
        return None
    name = colour.strip().lower()
    if name in _NAMED:
        return 1.0
    channels = _channels(name)
    if channels is None:
        return None
    red, green, blue = (_linear(channel) for channel in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(name: str) -> tuple[int, int, int] | None:
    if found := _HEX.fullmatch(name):
        digits = found[1] or "".join(digit * 2 for digit in found[2])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.fullmatch(name):
        return min(255, int(found[1])), min(255, int(found[2])), min(255, int(found[3]))
    return None


def _linear(channel: int) -> float:
    share = channel / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
