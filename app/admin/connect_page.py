"""The page that connects a site: the same questions, trials and steps as `signalbox connect`."""

from __future__ import annotations

import secrets as dice
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from fastapi import APIRouter, Depends, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import HTMLResponse
from fastapi.security import HTTPBasicCredentials
from jinja2 import Environment

from app.admin import connect, guide, jira_rights, setup
from app.admin.line import Line
from app.admin.operator import basic, let_in
from app.admin.setup import Desk, Invalid
from app.core.connection import KINDS
from app.intake.door import TooLarge, read_body
from app.ports import PortError
from app.store import sites

FIELDS = ("kind", "site_id", "browse_url", "url", "email", "token_ends", "project")
MOST_FIELDS, LONGEST_FORM = 20, 20_000
CSP = "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'"
HEADERS = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}
HEADERS |= {"Cache-Control": "no-store", "Referrer-Policy": "same-origin"}


def connect_router(
    templates: Environment, desk: Callable[[], Desk], ours: str, admin_token: str
) -> APIRouter:
    """desk: made anew for each request. ours: our own address, for the steps in Jira."""
    router = APIRouter()

    def signed_in(given: HTTPBasicCredentials | None = Depends(basic)) -> None:
        let_in(given, admin_token)

    def page(status: int = 200, **values: Any) -> HTMLResponse:
        empty = {"given": dict.fromkeys(FIELDS, ""), "fault": "", "done": None}
        shown = {"kinds": KINDS, **empty, **values}
        text = templates.get_template("connect.html").render(**shown)
        return HTMLResponse(text, status, headers=HEADERS)

    def before(kind: str, jira: str) -> tuple[guide.Step, ...]:
        """What comes before the form; where Jira hands the credential over, that is all."""
        place = guide.Place(ours, jira or "https://<site>.atlassian.net", "<name>")
        return guide.steps(kind, place) if KINDS[kind].handed else guide.ACCOUNT[kind](place)

    @router.get("/connect", dependencies=[Depends(signed_in)])
    def ask(kind: str = "token") -> HTMLResponse:
        if kind not in KINDS:
            raise HTTPException(404, "There is no such kind of connection.")
        return page(kind=kind, steps=before(kind, ""))

    @router.post("/connect", dependencies=[Depends(signed_in)])
    async def answer(request: Request) -> HTMLResponse:
        if not _own(request):
            raise HTTPException(403, "Another page may not send this form.")
        form = await _form(request)
        given = {name: form.get(name, "").strip() for name in FIELDS}
        kind, token = given["kind"], form.get("token", "")
        if kind not in KINDS or KINDS[kind].handed:
            raise HTTPException(404, "There is no such kind of connection.")
        try:
            done = await run_in_threadpool(_connect, desk(), given, token)
        except (Invalid, PortError) as fault:
            shown = before(kind, given["browse_url"])
            return page(422, kind=kind, steps=shown, given=given, fault=str(fault))
        door = guide.DOORS[kind](
            guide.Place(ours, done["site"]["browse_url"], done["site"]["id"], done["secret"])
        )
        return page(kind=kind, steps=door, given=given, done=done)

    return router


async def _form(request: Request) -> dict[str, str]:
    """Raises HTTPException for what no form of ours sends."""
    try:
        body = await read_body(request, LONGEST_FORM)
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS))
    except TooLarge:
        raise HTTPException(413, "The form is too long.") from None
    except ValueError:
        raise HTTPException(400, "The form cannot be read.") from None


def _own(request: Request) -> bool:
    """The form was sent by a page of ours: browsers say where a POST comes from."""
    origin = request.headers.get("origin", "")
    return bool(origin) and urlsplit(origin).netloc == request.headers.get("host")


def _connect(desk: Desk, given: dict[str, str], token: str) -> dict[str, Any]:
    """The site and its first project, in a mode where no agent starts; each right tried.

    Raises Invalid or PortError."""
    kind, name = given["kind"], given["site_id"]
    if _there(desk, name):
        raise Invalid(f"There is a site {name} already: change it with `signalbox site add`.")
    secret = "" if KINDS[kind].door == "none" else dice.token_urlsafe(32)
    wish: connect.SiteWish = {
        "connection": kind,
        "browse_url": given["browse_url"],
        "url": given["url"] or given["browse_url"],
        "email": given["email"],
        "token": token,
        "token_ends": _day(given["token_ends"]),
        "deployment": "cloud" if given["email"] else "server",
    }
    if secret:
        wish["webhook_secret"] = secret
    site = connect.connect_site(desk, name, wish)
    project = setup.connect_project(desk, name, given["project"], {})
    lines: list[Line] = list(jira_rights.examine(desk, name, project["key"]))
    return {"site": site, "project": project, "lines": lines, "secret": secret}


def _there(desk: Desk, name: str) -> bool:
    try:
        sites.get_site(desk.db, name)
    except sites.Unknown:
        return False
    return True


def _day(text: str) -> date | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").date() if text else None  # noqa: DTZ007 - a day
    except ValueError:
        raise Invalid(f"{text!r} is no day: write it as 2027-01-31.") from None
