"""Settings: typed, explained, refused when unsafe. No secret has a default."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict


class MissingSetting(Exception):
    """The start is refused; the message is one sentence that names the setting."""


class Settings(BaseSettings):
    """Read from the environment as SIGNALBOX_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="SIGNALBOX_", extra="ignore")

    secret_key: str = Field(
        min_length=1, description="Seals tokens at rest: `signalbox doctor --new-key` makes one."
    )
    data: Path = Field(
        default=Path("signalbox-data"), description="Folder for database, mirrors and workspaces."
    )
    database_url: str = Field(
        default="", description="postgresql+psycopg://…; empty = SQLite in the data folder."
    )
    host: str = Field(default="127.0.0.1", description="Address that the web part listens on.")
    port: int = Field(default=8321, ge=0, le=65535, description="Port of the web part.")
    url: str = Field(
        default="", description="Address under which people and Jira reach us, for links."
    )
    forge_app_id: str = Field(
        default="",
        description="Our Forge app, ari:cloud:ecosystem::app/…; empty = no Forge app, no A2A.",
    )
    proxy: str = Field(
        default="", description="Proxy for calls to Jira, http://host:port; empty = none."
    )
    ca_bundle: str = Field(
        default="", description="File with the certificates to trust for Jira, PEM; empty = usual."
    )
    alert_webhook: str = Field(
        default="",
        description="Where alerts about budgets are posted too, as Slack takes them; empty = none.",
    )
    admin_token: str = Field(
        default="",
        description="Password of the user admin on our pages; empty = the pages are closed.",
    )
    body_limit: int = Field(default=5_000_000, gt=0, description="Largest webhook body, bytes.")
    parallel_runs: int = Field(
        default=2, ge=1, le=64, description="Agents at work at once on one worker."
    )
    look_again_seconds: int = Field(
        default=120, ge=1, le=3600, description="How often deferred tickets are looked at again."
    )
    poll_seconds: int = Field(
        default=30,
        ge=5,
        le=3600,
        description="How often a Jira that sends nothing is asked; every other one in 5 minutes.",
    )
    anthropic_api_key: str = Field(
        default="",
        description="Key for Claude Code and the judge; stays with the gate, outside the cage.",
    )
    anthropic_base_url: str = Field(
        default="https://api.anthropic.com",
        description="Where model requests are sent; a gateway may stand there.",
    )
    judge_model: str = Field(
        default="claude-sonnet-5-5",
        description="Model that reads tickets in projects with `--judge`.",
    )
    claude_model: str = Field(default="claude-opus-5-5", description="Model for Claude Code.")
    claude_cli: str = Field(default="", description="Another Claude CLI than the bundled one.")

    def database(self) -> str:
        """The SQLAlchemy URL."""
        file = self.data.resolve() / "signalbox.sqlite"
        return self.database_url or f"sqlite:///{quote(str(file))}"


def load() -> Settings:
    """The settings of this process. Raises MissingSetting with one sentence."""
    try:
        return Settings()
    except ValidationError as fault:
        first = fault.errors()[0]
        name = "SIGNALBOX_" + str(first["loc"][0]).upper()
        field = Settings.model_fields.get(str(first["loc"][0]))
        hint = field.description if field is not None else ""
        what = "is not set" if first["type"] == "missing" else first["msg"].lower()
        raise MissingSetting(f"{name} {what}. {hint}") from None
