"""The Forge app's manifest: Forge's own checks, and by name what those let through."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from app.adapters.vault import new_key
from app.admin.frame_forge import MODULES
from app.config import Settings
from app.intake import a2a, forge
from app.main import web_app
from app.store.database import Database
from tests.needs import ROOT
from tests.web.signers import APP

pytestmark = pytest.mark.forge
FORGE = ROOT / "forge"
LIFECYCLE = {f"avi:forge:{name}:app" for name in ("installed", "upgraded", "uninstalled")}


def look_at(manifest: Path, *more: str) -> dict[str, Any]:
    argv = ["node", str(FORGE / "check/manifest.js"), manifest.name, *more]
    done = subprocess.run(argv, cwd=manifest.parent, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.fixture(scope="module")
def told() -> dict[str, Any]:
    """With the interface built, as it has to be before a deploy."""
    subprocess.run(["npm", "run", "build", "--silent"], cwd=FORGE, capture_output=True, check=True)
    return look_at(FORGE / "manifest.yml", "whole")


@pytest.fixture
def modules(told: dict[str, Any]) -> dict[str, Any]:
    return dict(told["manifest"]["modules"])


def test_forge_finds_no_fault(told: dict[str, Any]) -> None:
    assert told["errors"] == []


def test_forge_would_find_one(tmp_path: Path) -> None:
    """The check itself: a property that a module does not have."""
    text = (FORGE / "manifest.yml").read_text()
    broken = tmp_path / "manifest.yml"
    broken.write_text(text.replace("interval: fiveMinute", "interval: minute"))
    assert look_at(broken)["errors"] != []


def test_every_name_is_known(told: dict[str, Any], modules: dict[str, Any]) -> None:
    assert set(modules) <= set(told["modules"])
    assert set(told["manifest"]["permissions"]["scopes"]) <= set(told["scopes"])
    events = {event for trigger in modules["trigger"] for event in trigger["events"]}
    assert events <= set(told["events"]) | LIFECYCLE


def test_events_are_not_dropped_in_silence(modules: dict[str, Any]) -> None:
    filters = {trigger["key"]: trigger.get("filter") for trigger in modules["trigger"]}
    assert filters["signalbox-events"] == {"ignoreSelf": True, "onError": "RECEIVE_AND_LOG"}


def test_every_module_has_its_door(modules: dict[str, Any]) -> None:
    """A token's module key opens one route: both sides have to spell it alike."""
    keys = {each["key"] for name in modules if name != "endpoint" for each in modules[name]}
    doors = a2a.MODULES | set(MODULES.values())
    doors |= forge.EVENTS | forge.SCHEDULED | forge.INSTALLED | forge.UNINSTALLED
    assert doors <= keys
    assert keys - doors == {"signalbox-readiness", "signalbox-run"}


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
def test_every_endpoint_is_a_route(
    modules: dict[str, Any], database: Database, tmp_path: Path
) -> None:
    app = web_app(Settings(secret_key=new_key(), data=tmp_path, forge_app_id=APP), database)
    posts = {path for path, methods in app.openapi()["paths"].items() if "post" in methods}
    endpoints = {each["key"]: each.get("route", {}).get("path") for each in modules["endpoint"]}
    assert endpoints.pop("surfaces") is None, "its path comes with each call"
    assert "/forge/surfaces/{surface}" in posts
    assert set(endpoints.values()) <= posts


def test_properties_are_those_that_we_write(modules: dict[str, Any]) -> None:
    from app.assessment import feedback
    from app.reporting import report

    written = {each["propertyKey"] for each in modules["jira:entityProperty"]}
    assert written == {feedback.PROPERTY, report.PROPERTY}


def test_the_lock_names_no_place() -> None:
    lock = json.loads((FORGE / "package-lock.json").read_text())
    packages = [found for name, found in lock["packages"].items() if name]
    assert packages
    assert all("integrity" in found and "resolved" not in found for found in packages)


def test_our_part_is_bundled(tmp_path: Path) -> None:
    """What is deployed is made from the same files that the other pages use."""
    out = f"--outfile={tmp_path / 'main.js'}"
    esbuild = FORGE / "node_modules/.bin/esbuild"
    argv = [str(esbuild), "src/main.js", "--bundle", "--target=es2022", out]
    subprocess.run(argv, cwd=FORGE, capture_output=True, check=True)
    assert "/forge/surfaces/" in (tmp_path / "main.js").read_text()
