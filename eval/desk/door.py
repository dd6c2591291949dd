"""The door of the evaluator's page: a random key that only the terminal shows, and a cookie for who brought it.

The key and the cookie live in memory and end with the server. Who is logged in below /staff with the role for it needs
neither: that door is passed before this one.
"""

from __future__ import annotations

import secrets
from typing import Annotated
from urllib.parse import parse_qsl, quote, urlencode

from fastapi import Form, HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.web.pages import ADMITTED

COOKIE = "footnote_evaluator"
_CLOSED = "This page is for evaluators: open it with the link that footnote serve --evaluator printed, or log in.\n"
_STALE_FORM = "This form is from before the server was started again: go back, reload the page and send it once more."


class Door:
    """Lets in who brings the key, and afterwards who brings the cookie; everyone else reads one sentence.

    Args:
        path: Where the guarded pages begin, such as `/evaluate`.
    """

    def __init__(self, path: str) -> None:
        self._path = path
        self._key = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self.form_token = secrets.token_urlsafe(32)

    @property
    def entrance(self) -> str:
        """Return the path with the key: what the terminal shows, and nothing else may."""
        return f"{self._path}?{urlencode({'key': self._key})}"

    def guard(self, app: ASGIApp) -> ASGIApp:
        """Return the application with this door before it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            request = Request(scope)
            if request.method == "GET" and _same(request.query_params.get("key", ""), self._key):
                await self._admit(request)(scope, receive, send)
            elif scope.get(ADMITTED) or _same(request.cookies.get(COOKIE, ""), self._session):
                await app(scope, receive, send)
            else:
                await PlainTextResponse(_CLOSED, 403, {"cache-control": "no-store"})(scope, receive, send)

        return guarded

    def check_form(self, token: Annotated[str, Form()] = "") -> None:
        """Refuse a form that was not made by these pages: a dependency of every route that changes something."""
        if not _same(token, self.form_token):
            raise HTTPException(403, _STALE_FORM)

    def _admit(self, request: Request) -> Response:
        """Return the way to the same address without the key, which so stays in no history and no picture."""
        rest = [(name, value) for name, value in parse_qsl(request.url.query) if name != "key"]
        address = quote(request.scope["path"]) + (f"?{urlencode(rest)}" if rest else "")
        response = RedirectResponse(address, 303, {"cache-control": "no-store"})
        response.set_cookie(
            COOKIE,
            self._session,
            path=self._path,
            httponly=True,
            samesite="strict",
            secure=request.scope["scheme"] == "https",
        )
        return response


def _same(given: str, kept: str) -> bool:
    return secrets.compare_digest(given.encode("utf-8", "surrogatepass"), kept.encode())
