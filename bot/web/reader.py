"""What a request says about its reader: language and theme, both kept in cookies that only hold that choice."""

from __future__ import annotations

from starlette.requests import Request

from bot.web.language import Texts, choose_language

LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"


def texts_for(request: Request) -> Texts:
    """Return the words of the page in the language of the address, else the reader's."""
    chosen = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE)
    return choose_language(chosen, request.headers.get("accept-language", ""))


def theme_for(request: Request) -> str | None:
    """Return `light` or `dark` when the reader has chosen one; else their system decides."""
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in ("light", "dark") else None
