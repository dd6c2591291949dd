"""Who is asking: a secret that the reader's browser holds, of which we keep the hash. It names nobody."""

from __future__ import annotations

import secrets
from collections.abc import Mapping

from starlette.responses import Response

from index.document import hash_text

_COOKIE = "footnote-visitor"
_ONE_YEAR = 365 * 24 * 3600


def visitor_of(cookies: Mapping[str, str]) -> str:
    """Return the visitor behind the cookies of a request; empty for one whose browser holds no secret."""
    secret = cookies.get(_COOKIE, "")
    return hash_text("visitor", secret)[:32] if secret else ""


def remember_visitor(cookies: Mapping[str, str], response: Response, *, secure: bool) -> None:
    """Give a browser its secret, unless it holds one."""
    if not cookies.get(_COOKIE):
        response.set_cookie(
            _COOKIE, secrets.token_urlsafe(24), max_age=_ONE_YEAR, httponly=True, samesite="lax", secure=secure
        )
