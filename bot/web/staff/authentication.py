"""Authentication of the staff pages: the session of a request, the roles of a route, the token of a form."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from urllib.parse import quote

from anyio import to_thread
from fastapi import HTTPException, Request
from starlette.datastructures import MutableHeaders
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bot.staff.accounts import Role
from bot.staff.sessions import Session, Sessions
from bot.web.extensions import ADMITTED
from bot.web.staff.staff_page import PATH, session_of, show

# Reached without a session: the form to log in, what it looks like, and the way to an OpenID provider and back.
_OPEN = (f"{PATH}/login", f"{PATH}/openid", f"{PATH}/openid/start")
_STATIC = f"{PATH}/static/"
_COOKIE = "footnote-staff"
# Only our own files run, nothing is sent to other sites, and no other page may show these in a frame.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_STALE_FORM = "This form is from another session: go back, reload the page and send it once more."
FORM_TOKEN_HEADER = "x-footnote-token"  # noqa: S105  # the name of a header


class LoginRequired:
    """Middleware that answers requests without a session with the login page, the same for every address.

    Args:
        app: The pages.
        sessions: Who is logged in.
        openid: Whether there is an OpenID provider to log in with.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, *, openid: bool) -> None:
        self._app = app
        self._sessions = sessions
        self._openid = openid

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or redirect it to the login page."""
        request = Request(scope)
        path = scope["path"]
        send = _with_policy(send, stored=path.startswith(_STATIC))
        if path in _OPEN or path.startswith(_STATIC):
            await self._app(scope, receive, send)
            return
        session = await to_thread.run_sync(self._sessions.find, token_of(request))
        if session is None:
            await _login_page(request, openid=self._openid)(scope, receive, send)
            return
        scope.setdefault("state", {})["session"] = session
        await self._app(scope, receive, send)


class EvaluatorLogin:
    """Middleware of the evaluator's pages: evaluators and admins who are logged in here need no key there.

    Args:
        app: The pages, which ask others for a key.
        sessions: Who is logged in.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions) -> None:
        self._app = app
        self._sessions = sessions

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, marked as admitted where its session permits it."""
        session = await to_thread.run_sync(self._sessions.find, token_of(Request(scope)))
        admitted = session is not None and session.may("evaluator")
        await self._app({**scope, ADMITTED: True} if admitted else scope, receive, send)


def _with_policy(send: Send, *, stored: bool) -> Send:
    async def send_with_policy(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            headers["content-security-policy"] = POLICY
            if not stored:
                headers["cache-control"] = "no-store"
        await send(message)

    return send_with_policy


def _login_page(request: Request, *, openid: bool) -> Response:
    if request.method not in ("GET", "HEAD"):
        # After the login comes the page that held the form; the login refuses addresses that are not ours.
        _, _, page = request.headers.get("referer", "").partition("://")
        wanted = f"/{page.partition('/')[2]}"
        return show(request, "login.html", 401, openid=openid, next=wanted, fault="ended")
    path = request.scope["path"]
    asked = path + (f"?{request.url.query}" if request.url.query else "")
    wanted = "" if path == PATH else f"?next={quote(asked, safe='')}"
    return RedirectResponse(f"{PATH}/login{wanted}", 303)


def require(*roles: Role) -> Callable[[Request], Session]:
    """Return a dependency that gives the session and refuses everyone without one of the roles; admins have all."""

    def session_with_role(request: Request) -> Session:
        session = session_of(request)
        if not session.may(*roles):
            raise HTTPException(403, "Your account may not do this.")
        return session

    return session_with_role


async def check_form(request: Request) -> None:
    """Refuse a change that was not sent by our own pages: a dependency of all of them.

    A form carries the token in its field `token`, a script in the header `x-footnote-token`.
    """
    if request.method in ("GET", "HEAD"):
        return
    given = request.headers.get(FORM_TOKEN_HEADER) or str((await request.form()).get("token", ""))
    if not secrets.compare_digest(given.encode("utf-8", "surrogatepass"), session_of(request).form_token.encode()):
        raise HTTPException(403, _STALE_FORM)


def cookie_name(request: Request) -> str:
    """Return the name of the cookie: over https one that a browser takes from https alone."""
    return f"__Secure-{_COOKIE}" if request.url.scheme == "https" else _COOKIE


def token_of(request: Request) -> str:
    """Return the session token that a browser holds; empty when it holds none."""
    return request.cookies.get(cookie_name(request), "")


def hold_token(request: Request, response: Response, token: str) -> None:
    """Set the session cookie of a browser, until it is closed; an empty token removes it.

    The browser sends it to these pages and to the evaluator's, and to nothing else.
    """
    for path in (PATH, *(pages.path for pages in request.app.state.beside)):
        response.set_cookie(
            cookie_name(request),
            token,
            max_age=None if token else 0,
            path=path,
            httponly=True,
            samesite="strict",
            secure=request.url.scheme == "https",
        )
