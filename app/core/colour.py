"""Whether text in one colour is seen on another: white on white is read by nobody but a model."""

from __future__ import annotations

import re

WHITE = "#ffffff"
LEAST = 1.25
"""Contrast below which text is taken for hidden; the palest grey that Jira offers has more."""
ALIKE = 48
"""Channels further apart are two hues: yellow on white is hard to read, but seen."""

_NAMED = frozenset(
    [
        *("white", "snow", "ivory", "azure", "mintcream", "ghostwhite", "floralwhite"),
        *("whitesmoke", "aliceblue", "honeydew", "seashell", "transparent"),
    ]
)
_HEX = re.compile(r"#?(?:([0-9a-f]{6})(?:[0-9a-f]{2})?|([0-9a-f]{3})[0-9a-f]?)")
_RGB = re.compile(r"rgba?\(\s*(\d{1,3})[\s,]+(\d{1,3})[\s,]+(\d{1,3})\b.*")


def unseen(colour: object, ground: object = WHITE) -> bool:
    """A colour that cannot be read is taken for one that is seen, a ground for white."""
    one, other = _channels(colour), _channels(ground) or (255, 255, 255)
    if one is None or any(abs(a - b) > ALIKE for a, b in zip(one, other, strict=True)):
        return False
    dark, bright = sorted([_light(one), _light(other)])
    return (bright + 0.05) / (dark + 0.05) < LEAST


def _light(channels: tuple[int, int, int]) -> float:
    """Relative luminance as the accessibility guidelines reckon it."""
    red, green, blue = (_linear(channel) for channel in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _channels(colour: object) -> tuple[int, int, int] | None:
    name = colour.strip().lower() if isinstance(colour, str) else ""
    if name in _NAMED:
        return 255, 255, 255
    if found := _HEX.fullmatch(name):
        digits = found[1] or "".join(digit * 2 for digit in found[2])
        return int(digits[:2], 16), int(digits[2:4], 16), int(digits[4:], 16)
    if found := _RGB.fullmatch(name):
        return min(255, int(found[1])), min(255, int(found[2])), min(255, int(found[3]))
    return None


def _linear(channel: int) -> float:
    share = channel / 255
    return float(share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4)
