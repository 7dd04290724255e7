"""Reads a comment out of a request, in the face of its API version."""

from __future__ import annotations

from typing import Any

from app.sandbox.comments import Draft
from app.sandbox.issue_input import TOO_LONG
from app.sandbox.markup import LIMIT, RichText, adf_fault
from app.sandbox.properties import entries
from app.sandbox.refusals import Refusal, bad_field


def draft(body: dict[str, Any], version: str) -> Draft:
    """Body, visibility and properties; each may be missing in an edit."""
    return Draft(
        _text(body.get("body"), version), _visibility(body), entries(body.get("properties"))
    )


def _text(value: object, version: str) -> RichText | None:
    if value is None or value == "":
        return None
    if version == "3":
        if not isinstance(value, dict):
            raise bad_field("comment", "Comment body is not valid!")
        fault = adf_fault(value)
        if fault:
            raise Refusal(400, f"INVALID_INPUT: {fault}", errors={})
    elif not isinstance(value, str):
        raise bad_field("comment", "Comment body is not valid!")
    text = RichText(value)
    if text.length() > LIMIT:
        raise bad_field("comment", TOO_LONG)
    return text


def _visibility(body: dict[str, Any]) -> dict[str, str] | None:
    value = body.get("visibility")
    if value is None:
        return None
    if not isinstance(value, dict) or value.get("type") not in ("group", "role"):
        raise bad_field("visibility", "The type of visibility must be group or role.")
    return {str(key): str(entry) for key, entry in value.items() if entry is not None}
