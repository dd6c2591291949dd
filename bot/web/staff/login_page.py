"""Logging in and out, and the page of one's own account."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from bot.accounts.login import Wait
from bot.errors import AccountError
from bot.web.limits.caller import caller_of
from bot.web.staff.desk import PATH, Desk, session_of, show
from bot.web.staff.guard import hold_token, token_of


def login_routes(desk: Desk) -> APIRouter:
    """Return the login form: what there is without a session."""
    router = APIRouter()
    openid = bool(desk.settings.oidc_issuer)

    @router.get("/login")
    def login_page(request: Request, next: str = "", ended: str = "") -> Response:  # noqa: A002  # as in the address
        if desk.sessions.find(token_of(request)) is not None:
            return RedirectResponse(_safe(next), 303)
        return show(request, "login.html", openid=openid, next=next, fault="ended" if ended else "")

    @router.post("/login")
    def log_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "",  # noqa: A002
    ) -> Response:
        found = desk.login.try_password(name.strip(), password, caller_of(request.scope))
        again = {"openid": openid, "next": next, "name": name}
        if isinstance(found, Wait):
            page = show(request, "login.html", 429, **again, fault="wait", seconds=found.seconds)
            page.headers["retry-after"] = str(found.seconds)
            return page
        if found is None:
            return show(request, "login.html", 401, **again, fault="wrong")
        entered = RedirectResponse(_safe(next), 303)
        hold_token(request, entered, desk.sessions.open(found.name, "password"))
        return entered

    return router


def own_routes(desk: Desk) -> APIRouter:
    """Return what everyone who is logged in may do with their own account."""
    router = APIRouter()

    @router.post("/logout")
    def log_out(request: Request) -> Response:
        desk.sessions.end(session_of(request))
        left = RedirectResponse(f"{PATH}/login", 303)
        hold_token(request, left, "")
        return left

    @router.get("/me")
    def own_page(request: Request, changed: str = "") -> Response:
        return show(request, "me.html", changed=changed)

    @router.post("/me/password")
    def change_password(
        request: Request, old: Annotated[str, Form()] = "", new: Annotated[str, Form()] = ""
    ) -> Response:
        session = session_of(request)
        found = desk.login.try_password(session.account, old, caller_of(request.scope))
        if isinstance(found, Wait):
            raise AccountError(f"There were too many wrong passwords: try again in {found.seconds} seconds.")
        if found is None:
            raise AccountError("The present password is not right: go back and type it again.")
        desk.accounts.set_password(session.account, session.account, new, session.token_hash)
        return RedirectResponse(f"{PATH}/me?changed=yes", 303)

    return router


def _safe(wanted: str) -> str:
    """Return where to go after the login: a page of ours, whatever the address said."""
    ours = wanted.startswith(f"{PATH}/") and "//" not in wanted and "\\" not in wanted and wanted.isprintable()
    return wanted if ours else PATH
