"""The deliveries page: what came in, and what became of it."""

from __future__ import annotations

import hmac
from pathlib import Path

from fastapi import APIRouter, Depends, HTTPException
from fastapi.responses import HTMLResponse, Response
from fastapi.security import HTTPBasic, HTTPBasicCredentials
from jinja2 import Environment, FileSystemLoader, select_autoescape

from app.store import inbox
from app.store.database import Database

HERE = Path(__file__).parent
CSP = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'"
HEADERS = {"Content-Security-Policy": CSP, "X-Content-Type-Options": "nosniff"}
basic = HTTPBasic(realm="Signalbox", auto_error=False)


def admin_router(db: Database, admin_token: str) -> APIRouter:
    """Pages behind HTTP Basic (user `admin`); without a token in the settings they are closed."""
    templates = Environment(
        loader=FileSystemLoader(HERE / "templates"), autoescape=select_autoescape(default=True)
    )
    router = APIRouter()

    def signed_in(given: HTTPBasicCredentials | None = Depends(basic)) -> None:
        if not admin_token:
            raise HTTPException(403, "These pages are closed: set SIGNALBOX_ADMIN_TOKEN.")
        name = given.username.encode() if given else b""
        token = given.password.encode() if given else b""
        right = hmac.compare_digest(token, admin_token.encode())
        if not (hmac.compare_digest(name, b"admin") and right):
            challenge = {"WWW-Authenticate": 'Basic realm="Signalbox"'}
            raise HTTPException(401, "User admin and the admin token, please.", challenge)

    @router.get("/deliveries", dependencies=[Depends(signed_in)], response_class=HTMLResponse)
    def deliveries(site: str | None = None) -> HTMLResponse:
        page = templates.get_template("deliveries.html").render(
            rows=inbox.deliveries(db, site), counts=inbox.counts(db, site), site=site
        )
        return HTMLResponse(page, headers=HEADERS)

    @router.get("/deliveries.json", dependencies=[Depends(signed_in)])
    def deliveries_json(site: str | None = None) -> dict[str, object]:
        rows = [
            {
                name: row[name]
                for name in ("id", "site_id", "event", "outcome", "reason", "received_at")
            }
            for row in inbox.deliveries(db, site)
        ]
        return {"counts": inbox.counts(db, site), "deliveries": rows}

    @router.get("/static/admin.css")
    def style() -> Response:
        return Response((HERE / "static" / "admin.css").read_bytes(), media_type="text/css")

    return router
