"""Pages as a person reads them, line by line."""

from __future__ import annotations

import re
from html import unescape
from textwrap import wrap
from typing import Any

from app.admin.frame_pages import html
from app.admin.frame_tokens import Surface, Viewer
from app.admin.surfaces import Look
from tests.browser.frames import APPROVER, Stage


def page(stage: Stage, surface: Surface, of: str = "", who: str = APPROVER, **look: Any) -> str:
    viewer = Viewer("acme", who, surface, of, stage.clock.now())
    return html(stage.frame, viewer, Look(**look))


def words(text: str) -> list[str]:
    """A page as it is read, in lines; tables cell by cell, folds by their title alone."""
    text = re.sub(r"(?s)(<details[^>]*>.*?</summary>).*?</details>", r"\1", text)
    text = re.sub(r"</(?:p|li|h\d|td|th|dd|dt|summary|button)>|<br>", "\n", text)
    plain = unescape(re.sub(r"<[^>]+>", "", text))
    return [line for each in plain.split("\n") for line in wrap(" ".join(each.split()), 84)]


def buttons(text: str) -> list[str]:
    return re.findall(r'data-command="(\w+)"', text)
