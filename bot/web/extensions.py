"""Groups of pages that other packages bring, such as the evaluator's: found by entry points, never imported.

Each entry point of the group `footnote.pages` is a function that takes the chatbot and returns `Pages`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.answer.errors import ServeError
from bot.chatbot import Chatbot

# In the scope of a request for some pages: the staff's login has authenticated it already.
ADMITTED = "footnote.admitted"


@dataclass(frozen=True, slots=True)
class Pages:
    """An application below one path, which authenticates its own requests.

    Attributes:
        name: What it is, as the terminal names it.
        path: Where it begins, such as `/evaluate`.
        app: Answers every request at that path and below it.
        entrance: The path, with its key, to open in a browser.
        close: Ends what the pages have started.
        secret: Whether the entrance alone gives access.
    """

    name: str
    path: str
    app: ASGIApp
    entrance: str
    close: Callable[[], None]
    secret: bool = True


def load_pages(chatbot: Chatbot, points: Iterable[EntryPoint] | None = None) -> tuple[Pages, ...]:
    """Return the groups of pages that are installed.

    Raises:
        ServeError: There are none.
    """
    found = tuple(entry_points(group="footnote.pages") if points is None else points)
    if not found:
        raise ServeError("The evaluator's pages are not installed: install Footnote again, or leave out --evaluator.")
    return tuple(point.load()(chatbot) for point in found)


def is_below(path: str, top: str) -> bool:
    """Return whether a path is `top` or stands below it."""
    return path == top or path.startswith(f"{top}/")


class Branch:
    """Middleware that sends requests below the path of some pages to them, and all others on."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        matches = scope["type"] == "http" and is_below(scope["path"], self._pages.path)
        await (self._pages.app if matches else self._app)(scope, receive, send)
