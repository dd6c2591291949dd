"""Where the API is."""

from __future__ import annotations

from bot.web.pages import is_below

TOPS = ("/api", "/v1")


def is_api(path: str) -> bool:
    """Return whether a path belongs to the API."""
    return any(is_below(path, top) for top in TOPS)
