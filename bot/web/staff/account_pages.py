"""Logging in and out and the page of the own account; for admins the pages of accounts and of the audit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Form, Request, Response
from starlette.responses import RedirectResponse

from bot.answer.errors import AccountError
from bot.staff.accounts import ROLES, Role
from bot.staff.sessions import Wait
from bot.storage.audit import audit_actions, audit_entries
from bot.web.rate_limits import caller_of
from bot.web.staff.authentication import hold_token, token_of
from bot.web.staff.staff_page import PATH, StaffServices, TableFormat, download, redirect_to, session_of, show

_AUDIT_PAGE = 100  # entries
_AUDIT_COLUMNS = ("at", "actor", "action", "subject", "before", "after", "id")


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


def audit_routes(services: StaffServices) -> APIRouter:
    """Return the routes of the audit: filters, pages, export; nothing there changes anything."""
    router = APIRouter()

    @router.get("")
    def entries(
        request: Request, actor: str = "", action: str = "", since: str = "", until: str = "", older: str = ""
    ) -> Response:
        chosen = _chosen(actor, action, since, until)
        before = int(older) if older.isdecimal() else None
        with services.engine.connect() as connection:
            found = list(audit_entries(connection, **chosen, before_id=before, limit=_AUDIT_PAGE + 1))
            actors, actions = audit_actions(connection)
        asked = {"actor": actor, "action": action, "since": since, "until": until}
        shown, more = found[:_AUDIT_PAGE], len(found) > _AUDIT_PAGE
        return show(request, "audit.html", entries=shown, more=more, asked=asked, actors=actors, actions=actions)

    @router.get("/export")
    def export(
        form: TableFormat = "csv", actor: str = "", action: str = "", since: str = "", until: str = ""
    ) -> Response:
        def rows() -> Iterator[dict[str, Any]]:
            with services.engine.connect() as connection:
                for entry in audit_entries(connection, **_chosen(actor, action, since, until)):
                    yield {**asdict(entry), "at": entry.at.isoformat()}

        return download("footnote-audit", form, _AUDIT_COLUMNS, rows())

    return router


def _chosen(actor: str, action: str, since: str, until: str) -> dict[str, Any]:
    last = _day(until)
    return {
        "actor": actor,
        "action": action,
        "since": _day(since),
        "until": last + timedelta(days=1) if last else None,
    }


def _day(written: str) -> datetime | None:
    """Return the beginning of a day (UTC); None for what is no day."""
    try:
        return datetime.combine(date.fromisoformat(written), datetime.min.time(), UTC)
    except ValueError:
        return None
