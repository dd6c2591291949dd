"""How much one visitor, and all of them together, may ask for.

Who a request comes from, as far as limits are concerned: an address, or a network where one has many.

A proxy that is trusted has put the reader's address into the scope before this is asked.

How often something may be asked for, counted by the library `limits` in memory or in a store that machines share.

Stands before the application and counts: what comes too often, or too much at once, goes no further.
"""

from __future__ import annotations

import logging
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv6Address, ip_address, ip_network
from typing import cast

from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.answer.errors import SettingsError
from bot.settings import Settings
from bot.web.security import turned_away

# What a provider hands to one household, or one machine: counting single addresses would count nothing.
_IPV6_PREFIX = 64


def caller_of(scope: Scope) -> str:
    """Return what requests of one caller have in common."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:100]
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, _IPV6_PREFIX), strict=False))


_FORM = "write it like '30/minute; 300/hour', or '' for no limit"

logger = logging.getLogger(__name__)


class Rates:
    """Counts requests and questions by visitor, and questions altogether.

    Raises:
        SettingsError: A rate or the store is not written as it should be.
    """

    def __init__(self, settings: Settings) -> None:
        self._requests = _rates("visitor_requests", settings.visitor_requests)
        self._questions = _rates("visitor_questions", settings.visitor_questions)
        self._all_questions = _rates("all_questions", settings.all_questions)
        self._limiter = FixedWindowRateLimiter(_storage(settings.limits_storage))

    async def request(self, caller: str) -> int:
        """Count a request; return how many seconds its caller has to wait, 0 when it may pass."""
        return await self._count(self._requests, "request", caller)

    async def question(self, caller: str) -> int:
        """Count a question; return how many seconds its caller has to wait, 0 when it may pass."""
        return await self._count(self._questions, "question", caller)

    async def question_of_anyone(self) -> int:
        """Count a question among those of all visitors; return how many seconds to wait, 0 when it may pass."""
        return await self._count(self._all_questions, "questions", "")

    async def request_of_key(self, key_id: str, per_minute: int) -> int:
        """Count a request with an API key; return how many seconds to wait, 0 when it may pass."""
        return await self._count([RateLimitItemPerMinute(per_minute)], "key", key_id)

    async def _count(self, rates: Sequence[RateLimitItem], *key: str) -> int:
        try:
            for rate in rates:
                if not await self._limiter.hit(rate, *key):
                    stats = await self._limiter.get_window_stats(rate, *key)
                    return max(1, math.ceil(stats.reset_time - time.time()))
        except StorageError as error:
            # A store that is away must not take the page with it.
            logger.warning("requests are not counted, the store of the limits cannot be used: %s", error)
        return 0


def _rates(name: str, written: str) -> list[RateLimitItem]:
    try:
        return parse_many(written) if written.strip() else []
    except ValueError as error:
        raise SettingsError(f"The setting {name!r} is no rate ({written!r}): {_FORM}.") from error


def _storage(url: str) -> Storage:
    try:
        return cast(Storage, storage_from_string(f"async+{url}", wrap_exceptions=True))
    except (ConfigurationError, ValueError) as error:
        raise SettingsError(
            "The setting 'limits_storage' cannot be used: give 'memory://', or the address of a store such as "
            f"'redis://localhost:6379' with its Python package installed ({type(error).__name__})."
        ) from error


# A page keeps one or two streams open, and many pages may share an address.
_OPEN_AT_ONCE = 200
_QUESTIONS = frozenset({"/gradio_api/queue/join"})
# Files of the page, kept by browsers: one visit asks for dozens.
_FREE = ("/assets/", "/page/")
_AGAIN_SOON = 5


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
