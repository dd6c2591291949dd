"""Stands before the application and counts: what comes too often, or too much at once, goes no further."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable

from starlette.types import ASGIApp, Receive, Scope, Send

from bot.web.limits.caller import caller_of
from bot.web.limits.rates import Rates
from bot.web.turned_away import turned_away

# A page keeps one or two streams open, and many pages may share an address.
_OPEN_AT_ONCE = 200
_QUESTIONS = frozenset({"/gradio_api/queue/join"})
# Files of the page, kept by browsers: one visit asks for dozens.
_FREE = ("/assets/", "/page/")
_AGAIN_SOON = 5

logger = logging.getLogger(__name__)


class Guard:
    """Turns away with 429 who asks too much, and with 503 who asks a server that stops.

    Args:
        app: What stands behind.
        rates: How often is too often.
        stopping: Returns whether no question is taken any more.
        behind_proxy: Whether a proxy is trusted.
    """

    def __init__(self, app: ASGIApp, rates: Rates, stopping: Callable[[], bool], *, behind_proxy: bool) -> None:
        self._app = app
        self._rates = rates
        self._stopping = stopping
        self._open: Counter[str] = Counter()
        self._may_warn = not behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or say why not."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        if away := await self._turn_away(scope, caller):
            await away(scope, receive, send)
            return
        self._open[caller] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    async def _turn_away(self, scope: Scope, caller: str) -> ASGIApp | None:
        self._warn_of_unknown_proxy(scope)
        is_question = scope["path"] in _QUESTIONS and scope["method"] == "POST"
        if is_question and self._stopping():
            return turned_away(scope, 503, "stopping", _AGAIN_SOON)
        if self._open[caller] >= _OPEN_AT_ONCE:
            return turned_away(scope, 429, "asked_a_lot", _AGAIN_SOON)
        wait = 0 if scope["path"].startswith(_FREE) else await self._rates.request(caller)
        if is_question and not wait:
            wait = await self._rates.question(caller)
        if wait:
            return turned_away(scope, 429, "asked_a_lot", wait)
        if is_question and (wait := await self._rates.question_of_anyone()):
            return turned_away(scope, 429, "line_full", wait)
        return None

    def _warn_of_unknown_proxy(self, scope: Scope) -> None:
        """Say once that readers behind a proxy that is not named look like one."""
        if self._may_warn and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._may_warn = False
            logger.warning(
                "requests carry X-Forwarded-For and no proxy is trusted: name yours in 'trusted_proxies', or "
                "all readers behind it count as one visitor"
            )
