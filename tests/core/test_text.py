"""Addresses that may be linked, and characters that nobody sees."""

from __future__ import annotations

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.core.colour import unseen
from app.core.text import far_below, from_plain, safe_link, visible

ODD = "\u017f\u212a\u2044\uff0f\uff1a\u200b\u202e\u00ad\ufe0f\U000e0041\u2028\u0000\t\n\r @\\"
addresses = st.one_of(
    st.text(max_size=20),
    st.text(alphabet="htpsHTPS:/javcripdm.x" + ODD, max_size=20),
    st.tuples(
        st.sampled_from(
            ["http", "https", "javascript", "data", "mailto", "file", "", "HTTP\u017f"]
        ),
        st.sampled_from([":", "://", "//", "/", "&colon;", "%3A//", ":\\\\"]),
        st.text(alphabet="x.example/?#@:" + ODD, max_size=20),
    ).map("".join),
)


@given(addresses)
def test_only_http_is_ever_linked(url: str) -> None:
    found = safe_link(url)
    assert found is None or (
        re.match(r"(?i:https?)://[^/?#]", found, re.ASCII)
        and found == "".join(found.split())
        and not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in found)
    )


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)", "JaVaScRiPt:x", "java\nscript:x", "data:text/html,x", "vbscript:x",
        "mailto:a@x.example", "//x.example", "/x", "x.example", "ftp://x.example", "file:///etc",
        "http\u017f://x.example", "https:///x.example", "https:x.example", "https:\\\\x.example",
        "https://good.example@bad.example/", "https://good.example\uff0fx.bad.example",
        "https://x.example/\u202egnp", "https://x.example/a b", "https://", "", None, 7,
    ],
)  # fmt: skip
def test_nothing_else_is_linked(url: object) -> None:
    assert safe_link(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://x.example",
        "HTTPS://x.example:8080/a?b=c#d",
        "https://bücher.example/ä",
        "http://h:1",
    ],
)
def test_addresses_are_linked_as_they_are(url: str) -> None:
    assert safe_link(f" {url} ") == url


@pytest.mark.parametrize(
    "hidden",
    [
        *(0x00AD, 0x034F, 0x061C, 0x115F, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x202E, 0x2060),
        *(0x2066, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF9, 0xE0001, 0xE0041, 0xE0100, 0x7F),
    ],
)
def test_a_character_that_nobody_sees_is_taken_out(hidden: int) -> None:
    assert visible(f"a{chr(hidden)}b") == ("ab", True)


@pytest.mark.parametrize(
    "seen",
    [
        "plain\ttext\n",
        "❤️ 1️⃣ ©️ ↔️ ✅",
        "👩\u200d💻 🏳️\u200d🌈",
        "می\u200cخواهم",
        "क्\u200dष",
        "naïve ß 漢字",
    ],
)
def test_what_shapes_a_picture_or_a_letter_stays(seen: str) -> None:
    assert visible(seen) == (seen, False)


@given(
    st.text(alphabet=st.one_of(st.characters(), st.sampled_from("❤1a\u200d\u200c\ufe0f💻ش\u200b")))
)
def test_nothing_hidden_is_left(text: str) -> None:
    kept, hidden = visible(text)
    assert visible(kept) == (kept, False)
    assert hidden == (kept != text)


def test_text_below_many_blank_lines_is_kept_and_told() -> None:
    read = from_plain("a" + "\n" * 500 + "b")
    assert (read.plain(), read.hidden) == ("a\n\nb", True)
    assert not far_below("a" + "\n" * 500)


@pytest.mark.parametrize(
    ("colour", "ground", "hidden"),
    [
        ("white", "#ffffff", True), (" #FFF ", "#ffffff", True), ("#fefefeff", "#ffffff", True),
        ("rgb(255, 255, 254)", "#ffffff", True), ("transparent", "#ffffff", True),
        ("#ffff00", "#ffffff", False), ("#c1c7d0", "#ffffff", False), ("red", "#ffffff", False),
        ("#ffffff", "#0747a6", False), ("#0747a6", "#0747a7", True), (None, None, False),
        ("#fff", "no colour", True), ("no colour", "#fff", False),
    ],
)  # fmt: skip
def test_what_is_pale_on_its_ground_is_unseen(colour: object, ground: object, hidden: bool) -> None:
    assert unseen(colour, ground) is hidden
