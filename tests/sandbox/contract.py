"""Holds the sandbox's answers against Atlassian's own description of its API.

Known differences between that description and what Jira sends, allowed here:
times are written `+0000` without a colon, and a changelog item has null for ids that do not exist.
"""

from __future__ import annotations

import json
import re
from datetime import datetime
from functools import cache
from typing import Any

import httpx
from jsonschema import Draft4Validator
from openapi_core import Config, OpenAPI
from openapi_core.testing import MockRequest, MockResponse

from tests import needs

CONTRACTS = needs.SHARED / "contracts"
HOST = "https://your-domain.atlassian.net"
OUTSIDE = {401, 403, 404, 410, 413, 429, 500, 502, 503}
"""Statuses that any call may answer, whether the description names them or not."""


def available() -> bool:
    return not needs.fault("shared")


@cache
def description() -> dict[str, Any]:
    path = CONTRACTS / "openapi" / "jira-platform-v3.json"
    return dict(json.loads(path.read_text(encoding="utf-8")))


@cache
def _openapi() -> OpenAPI:
    config = Config(
        spec_validator_cls=None,  # type: ignore[arg-type]  # None: the document is not checked
        extra_format_validators={"date-time": _is_jira_time},
    )
    return OpenAPI.from_dict(description(), config=config)


@cache
def adf() -> Draft4Validator:
    path = CONTRACTS / "adf" / "adf-full-v1.json"
    return Draft4Validator(json.loads(path.read_text(encoding="utf-8")))


def check(request: httpx.Request, response: httpx.Response) -> None:
    """Fail when an answer of API version 3 is not what the description allows."""
    path = request.url.raw_path.decode().partition("?")[0]
    if not path.startswith("/rest/api/3/"):
        return
    if response.status_code >= 400:
        _check_error(request.method, path, response)
        return
    asked = MockRequest(HOST, request.method.lower(), path)
    kind = response.headers.get("content-type", "application/json").partition(";")[0]
    answered = MockResponse(_without_nulls(response.content), response.status_code, None, kind)
    if response.content:
        _openapi().validate_response(asked, answered)
    else:
        assert str(response.status_code) in _statuses(request.method, path)


def _check_error(method: str, path: str, response: httpx.Response) -> None:
    body = response.json()
    assert set(body) == {"errorMessages", "errors"}, body
    assert all(isinstance(message, str) for message in body["errorMessages"])
    assert body["errorMessages"] or body["errors"], "an error says what is wrong"
    allowed = {int(status) for status in _statuses(method, path) if status.isdigit()}
    assert response.status_code in allowed | OUTSIDE, (method, path, response.status_code)


def _statuses(method: str, path: str) -> set[str]:
    """Documented statuses of the operation; a literal path goes before one with parameters."""
    for template in sorted(description()["paths"], key=lambda known: known.count("{")):
        operations = description()["paths"][template]
        if method.lower() in operations and re.fullmatch(_pattern(template), path):
            return set(operations[method.lower()]["responses"])
    return set()


def _pattern(template: str) -> str:
    return re.sub(r"\{[^}]+\}", "[^/]+", template)


def _is_jira_time(value: object) -> bool:
    try:
        datetime.strptime(str(value), "%Y-%m-%dT%H:%M:%S.%f%z")
    except ValueError:
        return False
    return True


def _without_nulls(content: bytes) -> bytes:
    """The same JSON without the nulls of changelog items and of empty fields of an object."""
    if b'"items"' not in content:
        return content

    def clean(node: Any) -> Any:
        if isinstance(node, list):
            return [clean(entry) for entry in node]
        if not isinstance(node, dict):
            return node
        item = {"fieldtype", "fieldId"} <= set(node)
        return {key: clean(value) for key, value in node.items() if not (item and value is None)}

    return json.dumps(clean(json.loads(content))).encode()
