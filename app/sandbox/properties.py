"""Entity properties: JSON kept under a key on an issue or a comment.

https://developer.atlassian.com/cloud/jira/platform/jira-entity-properties/
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from app.sandbox.call import Call, Reply
from app.sandbox.refusals import Refusal, bad_field

KEY_LIMIT = 255
VALUE_LIMIT = 32_768


def entries(value: object) -> dict[str, Any]:
    """Properties that come with something else: a list of objects with key and value."""
    listed = value or []
    if not isinstance(listed, list) or not all(
        isinstance(entry, dict) and entry.get("key") for entry in listed
    ):
        raise bad_field("properties", "Each property needs a key and a value.")
    return {str(entry["key"]): entry.get("value") for entry in listed}


def list_properties(properties: dict[str, Any], address: str) -> Reply:
    keys = [{"self": f"{address}/{quote(key, safe='')}", "key": key} for key in properties]
    return Reply(200, {"keys": keys})


def get_property(properties: dict[str, Any], name: str) -> Reply:
    _known(properties, name)
    return Reply(200, {"key": name, "value": properties[name]})


def put_property(properties: dict[str, Any], name: str, call: Call) -> Reply:
    """201 when it is new, 200 when it was there."""
    if len(name) > KEY_LIMIT:
        raise Refusal(400, f"The property key is longer than {KEY_LIMIT} characters.")
    if len(call.raw) > VALUE_LIMIT:
        raise Refusal(400, f"The property value is longer than {VALUE_LIMIT} characters.")
    value = call.json()
    status = 200 if name in properties else 201
    properties[name] = value
    call.state.version += 1
    return Reply(status, {})


def delete_property(properties: dict[str, Any], name: str) -> Reply:
    _known(properties, name)
    del properties[name]
    return Reply(204)


def _known(properties: dict[str, Any], name: str) -> None:
    if name not in properties:
        raise Refusal(404, f"The property {name} does not exist.")
