"""A seeded sandbox behind real HTTP, clients that check every answer, a receiver of webhooks."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from app.sandbox.server import SandboxJira
from tests.sandbox import contract
from tests.sandbox.receiver import SECRET, Receiver, listening


class Api(httpx.Client):
    """Speaks to one API version as one user. Paths are relative to it, e.g. `issue/BILL-1`."""

    def __init__(self, jira: SandboxJira, who: str | None, version: str = "3") -> None:
        super().__init__(
            base_url=f"{jira.base_url}/rest/api/{version}/",
            auth=jira.credentials(who) if who else None,
            event_hooks={"response": [_check]} if contract.available() else {},
            trust_env=False,
            verify=False,  # reading certificates takes longer than the test
        )

    def ok(self, method: str, path: str, **options: Any) -> Any:
        """The JSON of an answer that has to be a success."""
        answer = self.request(method, path, **options)
        assert answer.is_success, (answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def refused(self, method: str, path: str, **options: Any) -> tuple[int, str]:
        """Status and text of an answer that has to be a refusal."""
        answer = self.request(method, path, **options)
        assert answer.is_error, (answer.status_code, answer.text)
        body = answer.json()
        return answer.status_code, " ".join([*body["errorMessages"], *body["errors"].values()])


def _check(response: httpx.Response) -> None:
    response.read()
    if response.status_code != 200 or "json" in response.headers.get("content-type", ""):
        contract.check(response.request, response)


@pytest.fixture
def jira() -> Iterator[SandboxJira]:
    sandbox = SandboxJira.seeded()
    sandbox.webhooks.delays = (0.03,) * 5
    with sandbox.serve():
        yield sandbox


@pytest.fixture
def author(jira: SandboxJira) -> Iterator[Api]:
    with Api(jira, "Author") as api:
        yield api


@pytest.fixture
def author_v2(jira: SandboxJira) -> Iterator[Api]:
    with Api(jira, "Author", "2") as api:
        yield api


@pytest.fixture
def service(jira: SandboxJira) -> Iterator[Api]:
    """The service account: may comment and edit, is no administrator."""
    with Api(jira, "Signalbox") as api:
        yield api


@pytest.fixture
def admin(jira: SandboxJira) -> Iterator[Api]:
    with Api(jira, "Admin") as api:
        yield api


@pytest.fixture
def receiver(jira: SandboxJira) -> Iterator[Receiver]:
    """Registered at the sandbox with SECRET."""
    with listening() as made:
        jira.webhook(made.url, SECRET)
        yield made


def paragraph(text: str) -> dict[str, Any]:
    return {"type": "paragraph", "content": [{"type": "text", "text": text}]}


def document(*blocks: dict[str, Any] | str) -> dict[str, Any]:
    content = [paragraph(block) if isinstance(block, str) else block for block in blocks]
    return {"type": "doc", "version": 1, "content": content}
