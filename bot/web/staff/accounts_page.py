"""The page of accounts, for admins."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request, Response

from bot.accounts.accounts import ROLES, Role
from bot.web.staff.desk import Desk, go_to, session_of, show


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
