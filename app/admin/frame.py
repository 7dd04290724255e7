"""Pages inside Jira's frame, and alone: signed in without a cookie, refreshed by a short token."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, Request
from fastapi.responses import HTMLResponse, JSONResponse
from fastapi.security import HTTPBasicCredentials
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.admin.frame_pages import TITLES, Away, Part, part, press
from app.admin.frame_tokens import Ended, Surface, Viewer
from app.admin.operator import basic, let_in
from app.admin.surfaces import Closed, Frame, Hidden, Look, site_of
from app.admin.surfaces_panel import resolve
from app.intake.connect_tokens import verify_page
from app.intake.door import Door, TooLarge, TooSlow, read_body
from app.intake.signature import BadSignature
from app.store.sites import Row

CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors "
)
HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",  # the address of a Connect page holds its token
    "Cache-Control": "no-store",
}
NAMES = {
    "panel": re.compile(r"[0-9]{1,19}|[A-Z][A-Z0-9_]{0,254}-[0-9]{1,19}"),
    "project": re.compile(r"[A-Z][A-Z0-9_]{0,254}"),
}
LONGEST_WISH = 4096
NOTHING = "There is nothing to show here."


@dataclass(frozen=True, slots=True)
class Guest:
    """Who asks for a page. operator: whoever runs Signalbox, and not through Jira."""

    site_id: str
    account_id: str
    operator: bool = False


class BadWish(Exception):
    """No page of ours sends that."""


class Pressed(BaseModel):
    """A button of a page. nonce: as the page was given it; the rest: what the page shows."""

    model_config = ConfigDict(extra="ignore")
    command: str = Field(max_length=20)
    nonce: str = Field(pattern=r"^[A-Za-z0-9_-]{8,64}$")
    group: str = Field(default="", max_length=20)
    page: int = Field(default=1, ge=1, le=10_000)


def frame_router(frame: Frame, door: Door, admin_token: str) -> APIRouter:
    """Three pages; of each a fragment that it asks for while it is open, and its buttons."""
    router = APIRouter(prefix="/surfaces")

    @router.get("/{surface}", response_class=HTMLResponse)
    def page(
        surface: Surface, request: Request, given: HTTPBasicCredentials | None = Depends(basic)
    ) -> HTMLResponse:
        if "jwt" in request.query_params or _credential(request, "jwt") is not None:
            return _in_jira(frame, door, surface, request)
        let_in(given, admin_token)
        site_id = request.query_params.get("site", "")
        return _page(frame, surface, request, Guest(site_id, "", operator=True))

    @router.get("/{surface}/fragment")
    def fragment(
        surface: Surface, request: Request, group: str = "", page: int = 1, mark: str = ""
    ) -> JSONResponse:
        try:
            viewer = _viewer(frame, surface, request)
        except Ended:
            return _load_again()
        return answer(lambda: _told(frame, viewer, look(group, page), mark))

    @router.post("/{surface}/press")
    async def pressed(surface: Surface, request: Request) -> JSONResponse:
        return await _pressed(frame, surface, request)

    return router


def _in_jira(frame: Frame, door: Door, surface: Surface, request: Request) -> HTMLResponse:
    try:
        seen = verify_page(door, request)
    except BadSignature:
        return _problem(frame, 401, "Not signed in", "Please load the page in Jira again.")
    return _page(frame, surface, request, Guest(seen.site["id"], seen.account_id))


async def _pressed(frame: Frame, surface: Surface, request: Request) -> JSONResponse:
    try:
        viewer = _viewer(frame, surface, request)  # before a byte of the body is read
        wish = await wish_of(request)
    except Ended:
        return _load_again()
    except BadWish:
        return JSONResponse({"error": "There is no such button."}, 400, headers=HEADERS)

    def done() -> dict[str, Any]:
        said = press(frame, viewer, wish.command, wish.nonce)
        return _told(frame, viewer, look(wish.group, wish.page)) | {"said": said}

    return await run_in_threadpool(answer, done)


def look(group: str, page: int) -> Look:
    return Look(group[:20], min(max(page, 1), 10_000))


async def wish_of(request: Request) -> Pressed:
    """Raises BadWish for a body that no page of ours sends."""
    try:
        return Pressed.model_validate_json(await read_body(request, LONGEST_WISH))
    except (TooLarge, TooSlow, ClientDisconnect, ValidationError):
        raise BadWish from None


def answer(made: Callable[[], dict[str, Any]]) -> JSONResponse:
    """The fragment as JSON, or why there is none."""
    try:
        return JSONResponse(made(), headers=HEADERS)
    except Hidden:
        return JSONResponse({"error": NOTHING}, 404, headers=HEADERS)
    except Closed as fault:
        return JSONResponse({"error": str(fault)}, 403, headers=HEADERS)
    except Away as fault:
        told = f"Nothing was done, as Jira did not answer: {fault}"
        return JSONResponse({"error": told}, 503, headers=HEADERS)


def _load_again() -> JSONResponse:
    return JSONResponse({"error": "Please load the page again."}, 401, headers=HEADERS)


def shape(found: Part) -> dict[str, Any]:
    return {"html": found.html, "mark": found.mark}


def _told(frame: Frame, viewer: Viewer, look: Look, had: str = "") -> dict[str, Any]:
    token = frame.sessions.issue(viewer, frame.clock.now())
    return shape(part(frame, viewer, look, had)) | {"token": token}


def _viewer(frame: Frame, surface: Surface, request: Request) -> Viewer:
    """Raises Ended; a token for another surface is none for this one."""
    viewer = frame.sessions.read(_credential(request, "bearer") or "", frame.clock.now())
    if viewer.surface != surface:
        raise Ended
    return viewer


def _credential(request: Request, scheme: str) -> str | None:
    given, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if given.lower() == scheme else None


def _page(frame: Frame, surface: Surface, request: Request, guest: Guest) -> HTMLResponse:
    """The whole page; only the site's own pages may put it into a frame."""
    ancestors, now = "'none'", frame.clock.now()
    try:
        site = site_of(frame, guest.site_id)
        ancestors = ancestors if guest.operator else _origin(site["browse_url"])
        subject = _subject(frame, surface, request, site)
        viewer = Viewer(site["id"], guest.account_id, surface, subject, now, guest.operator)
        found = part(frame, viewer, Look())
    except Hidden:
        return _problem(frame, 404, "Nothing here", NOTHING, ancestors)
    except Closed as fault:
        return _problem(frame, 403, "Not for you", str(fault), ancestors)
    page = frame.pages.get_template("frame.html").render(
        surface=surface,
        title=TITLES[surface],
        token=frame.sessions.issue(viewer, now),
        mark=found.mark,
        body=found.html,
    )
    return HTMLResponse(page, headers=_headers(ancestors))


def _subject(frame: Frame, surface: Surface, request: Request, site: Row) -> str:
    """What the page is about, as the request names it. Raises Hidden."""
    if surface == "admin":
        return ""
    if surface == "project":
        return named(surface, request.query_params.get("project", ""))
    return resolve(frame, site, named(surface, request.query_params.get("issue", "")))


def named(surface: Surface, name: object) -> str:
    """The name, if a ticket or a project can have it: it becomes part of an address. Raises
    Hidden."""
    if not isinstance(name, str) or not NAMES[surface].fullmatch(name):
        raise Hidden
    return name


def _problem(
    frame: Frame, status: int, title: str, text: str, ancestors: str = "'none'"
) -> HTMLResponse:
    page = frame.pages.get_template("problem.html").render(title=title, text=text)
    return HTMLResponse(page, status, headers=_headers(ancestors))


def _headers(ancestors: str) -> dict[str, str]:
    return {**HEADERS, "Content-Security-Policy": CSP + ancestors}


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
