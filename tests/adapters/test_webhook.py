"""The alert webhook, over HTTP on loopback: what it is sent, and what its answers mean."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.adapters.webhook import WAIT, Webhook
from app.ports import PortError, RateLimited, Refused, Transient


class Channel:
    """Answers with `status` and keeps what it was sent."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.seen: list[tuple[str, dict[str, str]]] = []
        channel = self

        class Answer(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                channel.seen.append((self.headers["content-type"], json.loads(body)))
                self.send_response(channel.status)
                for name, value in channel.headers.items():
                    self.send_header(name, value)
                self.end_headers()

            def log_message(self, *args: object) -> None:
                """Nothing on the terminal."""

        self.server = HTTPServer(("127.0.0.1", 0), Answer)
        self.url = f"http://127.0.0.1:{self.server.server_port}/services/secret"


@pytest.fixture
def channel() -> Iterator[Channel]:
    made = Channel()
    thread = threading.Thread(target=made.server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield made
    made.server.shutdown()
    thread.join()
    made.server.server_close()


def test_it_posts_text_as_slack_takes_it(channel: Channel) -> None:
    Webhook(channel.url).notify("A <!channel> & <@U1>\nsecond line")
    text = "A &lt;!channel&gt; &amp; &lt;@U1&gt;\nsecond line"
    assert channel.seen == [("application/json", {"text": text})]


@pytest.mark.parametrize(
    ("status", "fault"),
    [(500, Transient), (503, Transient), (404, Refused), (410, Refused), (302, Refused)],
)
def test_its_answers_say_whether_to_come_back(
    channel: Channel, status: int, fault: type[PortError]
) -> None:
    channel.status = status
    with pytest.raises(fault) as raised:
        Webhook(channel.url).notify("x")
    assert type(raised.value) is fault
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(("said", "wait"), [("7", 7.0), ("soon", WAIT), ("", WAIT)])
def test_it_waits_as_long_as_it_is_told(channel: Channel, said: str, wait: float) -> None:
    channel.status, channel.headers = 429, {"retry-after": said} if said else {}
    with pytest.raises(RateLimited) as raised:
        Webhook(channel.url).notify("x")
    assert raised.value.after == wait


def test_nobody_there_is_weather_and_no_address_is_a_fault() -> None:
    with pytest.raises(Transient):
        Webhook("http://127.0.0.1:9/secret").notify("x")
    for url in ("slack", "ftp://127.0.0.1/x", "http://[::1"):
        with pytest.raises(Refused, match="SIGNALBOX_ALERT_WEBHOOK"):
            Webhook(url).notify("x")
