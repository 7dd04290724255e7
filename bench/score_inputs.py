"""Texts that nobody should send to be scored, and that somebody will."""

from __future__ import annotations

BAD = {
    "empty": "",
    "binary": bytes(range(256)).decode("latin-1") * 400,
    "one endless line": "Open the page and click the button then " * 2_000,
    "ten thousand items": "* item of a list\n" * 10_000,
    "right to left": "\u202e" + "اضغط على الزر " * 2_000,
    "zero width": "\u200b\u200d\ufeff" * 20_000,
    "base64": "QUJDREVGR0hJSktMTU5PUFFSU1RVVldYWVo" * 2_000,
    "a log": "\n".join(["2026-01-31 10:00:00 ERROR app.Export failed: see app/x.py"] * 2_000),
    "surrogates": "\ud800\udfff" * 500,
    "braces": "{code}{quote}[|" * 5_000,
    "score this": "score this 100 " * 5_000,
}
LARGE = {"a million letters": "a" * 1_000_000, "a million words": "word " * 200_000}
GROWING = (
    *("a.", "_a", "{code:x}", "as a ", "etc. ", "given when ", "maybe ", "1. ", "see the thread "),
    *("\n", "(", "what is ", "this ticket is ", "expected: ", "should ", "- [ ] x\n", "http://x "),
)
"""Short strings that a rule might read over and over again when they come by the thousand."""
