"""Alerts to a channel: a webhook that takes Slack's JSON, as Mattermost's and others do too."""

from __future__ import annotations

from typing import Any

from app.ports import RateLimited, Refused, Transient

SECONDS = 10.0
BUSY, BROKEN = 429, 500
WAIT = 60.0  # seconds, where it does not say how long


class Webhook:
    """url: a secret, as whoever knows it can post; so no message of ours shows it."""

    def __init__(self, url: str, *, proxy: str = "", ca_bundle: str = "") -> None:
        self._url = url
        self._proxy = proxy
        self._ca_bundle = ca_bundle

    def notify(self, text: str) -> None:
        import httpx

        try:
            with self._client() as client:
                answer = client.post(self._url, json={"text": _escaped(text)})
        except (httpx.InvalidURL, httpx.UnsupportedProtocol):
            raise Refused("The alert webhook is no address: see SIGNALBOX_ALERT_WEBHOOK.") from None
        except httpx.HTTPError as error:
            raise Transient(f"The alert webhook did not answer: {type(error).__name__}.") from None
        except (ValueError, OSError):  # the text may show the proxy's password
            names = "SIGNALBOX_PROXY or SIGNALBOX_CA_BUNDLE"
            raise Transient(f"The alert webhook cannot be reached: see {names}.") from None
        status = answer.status_code
        if status == BUSY:
            raise RateLimited("The alert webhook asks us to wait.", _after(answer))
        if status >= BROKEN:
            raise Transient(f"The alert webhook is broken for now ({status}).")
        if not answer.is_success:
            raise Refused(
                f"The alert webhook refuses us ({status}): it may have been switched off there; "
                "set SIGNALBOX_ALERT_WEBHOOK anew."
            )

    def _client(self) -> Any:
        import ssl

        import httpx

        return httpx.Client(
            timeout=SECONDS,
            follow_redirects=False,
            trust_env=False,
            proxy=self._proxy or None,
            verify=ssl.create_default_context(cafile=self._ca_bundle) if self._ca_bundle else True,
        )


def _escaped(text: str) -> str:
    """Slack reads these three as marks: of links, and of mentions of everybody."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _after(answer: Any) -> float:
    said = str(answer.headers.get("retry-after", ""))
    return float(said) if said.isascii() and said.isdigit() else WAIT
