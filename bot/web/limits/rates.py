"""How often something may be asked for, counted by the library `limits` in memory or in a store that machines share."""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Sequence
from typing import cast

from limits import RateLimitItem, RateLimitItemPerMinute, parse_many
from limits.aio.storage import Storage
from limits.aio.strategies import FixedWindowRateLimiter
from limits.errors import ConfigurationError, StorageError
from limits.storage import storage_from_string

from bot.errors import SettingsError
from bot.settings import Settings

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
