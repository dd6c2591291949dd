"""Logging in and out, the page of the own account, and the page of all accounts for admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from bot.answer.errors import AccountError
from bot.staff.accounts import ROLES, Role
from bot.staff.sessions import Wait
from bot.web.rate_limits import caller_of
from bot.web.staff.authentication import hold_token, token_of
from bot.web.staff.staff_page import PATH, StaffServices, redirect_to, session_of, show


def login_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the login form, which need no session."""
    router = APIRouter()
    openid = bool(services.settings.oidc_issuer)

    @router.get("/login")
    def login_page(request: Request, next: str = "", ended: str = "") -> Response:  # noqa: A002  # as in the address
        if services.sessions.find(token_of(request)) is not None:
            return RedirectResponse(_local(next), 303)
        return show(request, "login.html", openid=openid, next=next, fault="ended" if ended else "")

    @router.post("/login")
    def log_in(
        request: Request,
        name: Annotated[str, Form()] = "",
        password: Annotated[str, Form()] = "",
        next: Annotated[str, Form()] = "",  # noqa: A002
    ) -> Response:
        found = services.login.try_password(name.strip(), password, caller_of(request.scope))
        again = {"openid": openid, "next": next, "name": name}
        if isinstance(found, Wait):
            page = show(request, "login.html", 429, **again, fault="wait", seconds=found.seconds)
            page.headers["retry-after"] = str(found.seconds)
            return page
        if found is None:
            return show(request, "login.html", 401, **again, fault="wrong")
        entered = RedirectResponse(_local(next), 303)
        hold_token(request, entered, services.sessions.open(found.name, "password"))
        return entered

    return router


def own_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the own account, for every role."""
    router = APIRouter()

    @router.post("/logout")
    def log_out(request: Request) -> Response:
        services.sessions.end(session_of(request))
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
        found = services.login.try_password(session.account, old, caller_of(request.scope))
        if isinstance(found, Wait):
            raise AccountError(f"There were too many wrong passwords: try again in {found.seconds} seconds.")
        if found is None:
            raise AccountError("The present password is not right: go back and type it again.")
        services.accounts.set_password(session.account, session.account, new, session.token_hash)
        return RedirectResponse(f"{PATH}/me?changed=yes", 303)

    return router


def _local(wanted: str) -> str:
    """Return the page to go to after the login: the first page in place of an address that is not ours."""
    ours = wanted.startswith(f"{PATH}/") and "//" not in wanted and "\\" not in wanted and wanted.isprintable()
    return wanted if ours else PATH


def account_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the page of accounts."""
    router = APIRouter()

    @router.get("")
    def accounts(request: Request) -> Response:
        return show(
            request, "accounts.html", accounts=services.accounts.all(), open=services.sessions.counts(), roles=ROLES
        )

    @router.post("")
    def add(
        request: Request,
        name: Annotated[str, Form()],
        role: Annotated[Role, Form()],
        password: Annotated[str, Form()],
    ) -> Response:
        services.accounts.add(session_of(request).account, name, role, password)
        return redirect_to("accounts")

    @router.post("/{name}/role")
    def change_role(request: Request, name: str, role: Annotated[Role, Form()]) -> Response:
        services.accounts.set_role(session_of(request).account, name, role)
        return redirect_to("accounts")

    @router.post("/{name}/password")
    def change_password(request: Request, name: str, password: Annotated[str, Form()]) -> Response:
        session = session_of(request)
        keep = session.token_hash if session.account == name else ""
        services.accounts.set_password(session.account, name, password, keep)
        return redirect_to("accounts")

    @router.post("/{name}/sessions")
    def end_sessions(request: Request, name: str) -> Response:
        services.sessions.end_all(session_of(request).account, name)
        return redirect_to("accounts")

    @router.post("/{name}/remove")
    def remove(request: Request, name: str) -> Response:
        services.accounts.remove(session_of(request).account, name)
        return redirect_to("accounts")

    return router
