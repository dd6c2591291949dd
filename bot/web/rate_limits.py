"""Rate limits: how many requests and questions one caller, and all callers together, may send.

The library `limits` counts, in memory or in a store that several machines share. A caller is an IP address (for IPv6 a
network); a trusted proxy has already put the reader's address into the scope.
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
from bot.web.security import rejection

logger = logging.getLogger(__name__)

# A provider assigns this much to one household or machine, so counting single addresses would have no effect.
_IPV6_PREFIX = 64
_FORM = "write it like '30/minute; 300/hour', or '' for no limit"
# A page keeps one or two streams open, and many pages may share an address.
_OPEN_AT_ONCE = 200
_QUESTIONS = "/gradio_api/queue/join"
# Files of the page, cached by browsers: one visit requests dozens.
_UNCOUNTED = ("/assets/", "/page/")
_RETRY_SECONDS = 5


def caller_of(scope: Scope) -> str:
    """Return what the requests of one caller have in common: the address, for IPv6 its network."""
    host = str((scope.get("client") or ("", 0))[0])
    try:
        address = ip_address(host.partition("%")[0])
    except ValueError:
        return host[:100]
    if not isinstance(address, IPv6Address):
        return str(address)
    return str(address.ipv4_mapped or ip_network((address, _IPV6_PREFIX), strict=False))


class RateLimits:
    """Counts requests and questions. Each method counts one and returns the seconds to wait, 0 when it is permitted.

    Raises:
        SettingsError: A rate or the address of the store is malformed.
    """

    def __init__(self, settings: Settings) -> None:
        self._requests = _parse("visitor_requests", settings.visitor_requests)
        self._questions = _parse("visitor_questions", settings.visitor_questions)
        self._all_questions = _parse("all_questions", settings.all_questions)
        self._limiter = FixedWindowRateLimiter(_storage(settings.limits_storage))

    async def request(self, caller: str) -> int:
        """Count a request of a caller."""
        return await self._count(self._requests, "request", caller)

    async def question(self, caller: str) -> int:
        """Count a question of a caller."""
        return await self._count(self._questions, "question", caller)

    async def question_of_anyone(self) -> int:
        """Count a question among those of all callers."""
        return await self._count(self._all_questions, "questions", "")

    async def request_of_key(self, key_id: str, per_minute: int) -> int:
        """Count a request with an API key."""
        return await self._count([RateLimitItemPerMinute(per_minute)], "key", key_id)

    async def _count(self, rates: Sequence[RateLimitItem], *key: str) -> int:
        try:
            for rate in rates:
                if not await self._limiter.hit(rate, *key):
                    stats = await self._limiter.get_window_stats(rate, *key)
                    return max(1, math.ceil(stats.reset_time - time.time()))
        except StorageError as error:
            # The page stays available when the store is not.
            logger.warning("requests are not counted, the store of the limits cannot be used: %s", error)
        return 0


def _parse(name: str, written: str) -> list[RateLimitItem]:
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


class RateLimitMiddleware:
    """Rejects requests over a limit with 429, and questions to a stopping server with 503.

    Args:
        app: The application behind.
        limits: The limits.
        stopping: Returns whether the server accepts no more questions.
        behind_proxy: Whether a proxy is trusted.
    """

    def __init__(self, app: ASGIApp, limits: RateLimits, stopping: Callable[[], bool], *, behind_proxy: bool) -> None:
        self._app = app
        self._limits = limits
        self._stopping = stopping
        self._open: Counter[str] = Counter()
        self._may_warn = not behind_proxy

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or reject it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        caller = caller_of(scope)
        if rejected := await self._check(scope, caller):
            await rejected(scope, receive, send)
            return
        self._open[caller] += 1
        try:
            await self._app(scope, receive, send)
        finally:
            self._open[caller] -= 1
            if not self._open[caller]:
                del self._open[caller]

    async def _check(self, scope: Scope, caller: str) -> ASGIApp | None:
        self._warn_of_unknown_proxy(scope)
        is_question = scope["path"] == _QUESTIONS and scope["method"] == "POST"
        if is_question and self._stopping():
            return rejection(scope, 503, "stopping", _RETRY_SECONDS)
        if self._open[caller] >= _OPEN_AT_ONCE:
            return rejection(scope, 429, "asked_a_lot", _RETRY_SECONDS)
        wait = 0 if scope["path"].startswith(_UNCOUNTED) else await self._limits.request(caller)
        if is_question and not wait:
            wait = await self._limits.question(caller)
        if wait:
            return rejection(scope, 429, "asked_a_lot", wait)
        if is_question and (wait := await self._limits.question_of_anyone()):
            return rejection(scope, 429, "line_full", wait)
        return None

    def _warn_of_unknown_proxy(self, scope: Scope) -> None:
        if self._may_warn and any(name == b"x-forwarded-for" for name, _ in scope["headers"]):
            self._may_warn = False
            logger.warning(
                "requests carry X-Forwarded-For and no proxy is trusted: name yours in 'trusted_proxies', or "
                "all readers behind it count as one visitor"
            )
