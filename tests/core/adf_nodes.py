"""Nodes of Atlassian's format written short, and the schema that says which are valid."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft4Validator, ValidationError
from jsonschema.validators import extend

SHARED = Path(os.environ.get("SHARED_DIR", "../shared")) / "contracts/adf/adf-full-v1.json"


@cache
def schema() -> Any:
    if not SHARED.exists():
        if os.environ.get("CI") == "true":
            pytest.fail(f"{SHARED} is needed in CI")
        pytest.skip(f"{SHARED} is not there: set SHARED_DIR")
    whole = json.loads(SHARED.read_text())
    definitions = whole["definitions"]

    def named(part: dict[str, Any]) -> Any:
        part = definitions[part["$ref"].rsplit("/", 1)[1]] if "$ref" in part else part
        return named(part["allOf"][0]) if "allOf" in part else part

    def any_of(validator: Any, parts: Any, value: Any, _schema: object) -> Any:
        """Tries only those of the alternatives that are for a node of this type: same answer,
        a hundred times faster."""
        kind = value.get("type") if isinstance(value, dict) else None
        for part in parts:
            kinds = named(part).get("properties", {}).get("type", {}).get("enum")
            if kinds and kind not in kinds:
                continue
            if not any(validator.descend(value, part)):
                return
        yield ValidationError(f"{value!r} is none of {parts!r}"[:300])

    return extend(Draft4Validator, {"anyOf": any_of})(whole)  # type: ignore[no-untyped-call]


def doc(*nodes: object) -> dict[str, object]:
    return {"type": "doc", "version": 1, "content": list(nodes)}


def text(words: str, *marks: object) -> dict[str, object]:
    return (
        {"type": "text", "text": words, "marks": list(marks)}
        if marks
        else {
            "type": "text",
            "text": words,
        }
    )


def para(*nodes: object) -> dict[str, object]:
    return {"type": "paragraph", "content": list(nodes)}


def node(kind: str, *nodes: object, **attrs: object) -> dict[str, object]:
    return {"type": kind, "attrs": attrs, "content": list(nodes)}
