"""Logging in and out, and the page of one's own account.

The page of accounts, for admins.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from bot.answer.errors import AccountError
from bot.staff.accounts import ROLES, Role
from bot.staff.sessions import Wait
from bot.web.rate_limits import caller_of
from bot.web.staff.authentication import hold_token, token_of
from bot.web.staff.desk import PATH, Desk, go_to, session_of, show


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


def account_routes(desk: Desk) -> APIRouter:
    """Return the routes of the page."""
    router = APIRouter()

    @router.get("")
    def accounts(request: Request) -> Response:
        return show(request, "accounts.html", accounts=desk.accounts.all(), open=desk.sessions.counts(), roles=ROLES)

    @router.post("")
    def add(
        request: Request,
        name: Annotated[str, Form()],
        role: Annotated[Role, Form()],
        password: Annotated[str, Form()],
    ) -> Response:
        desk.accounts.add(session_of(request).account, name, role, password)
        return go_to("accounts")

    @router.post("/{name}/role")
    def change_role(request: Request, name: str, role: Annotated[Role, Form()]) -> Response:
        desk.accounts.set_role(session_of(request).account, name, role)
        return go_to("accounts")

    @router.post("/{name}/password")
    def change_password(request: Request, name: str, password: Annotated[str, Form()]) -> Response:
        session = session_of(request)
        keep = session.token_hash if session.account == name else ""
        desk.accounts.set_password(session.account, name, password, keep)
        return go_to("accounts")

    @router.post("/{name}/sessions")
    def end_sessions(request: Request, name: str) -> Response:
        desk.sessions.end_all(session_of(request).account, name)
        return go_to("accounts")

    @router.post("/{name}/remove")
    def remove(request: Request, name: str) -> Response:
        desk.accounts.remove(session_of(request).account, name)
        return go_to("accounts")

    return router
