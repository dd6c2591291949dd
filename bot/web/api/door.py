"""Who may use the API: a program that shows a key with the right scope, within its limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer

from bot.api_keys import PREFIX, SCOPES, ApiKey, ApiKeys, Scope
from bot.settings import Settings
from bot.web.api.allowance import Allowance
from bot.web.api.errors import ApiError, ErrorDetails

_bearer = HTTPBearer(
    scheme_name="key",
    description="A key from `footnote key add`, as `Authorization: Bearer footnote_…`.",
    auto_error=False,
)


class Door:
    """Lets programs in.

    Args:
        keys: The keys that were given out.
        settings: Whether programs without a key are let in, and how often.
    """

    def __init__(self, keys: ApiKeys, settings: Settings) -> None:
        self._keys = keys
        self._settings = settings
        self._allowance = Allowance()

    def asks_for(self, *scopes: Scope) -> Callable[..., None]:
        """Return the FastAPI dependency that lets in who may do all of `scopes`."""

        def enter(
            request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None
        ) -> None:
            address = request.client.host if request.client else ""
            request.state.caller = self.admit(shown.credentials if shown else "", address, scopes)

        return enter

    def admit(self, shown: str, address: str, scopes: tuple[Scope, ...]) -> str:
        """Let a request in, count it, and return who is asking: the key by its id, empty without one.

        Args:
            shown: The key, empty for none. What does not look like one counts as none: clients that cannot leave
                the key out send any word.
            address: Where the request comes from; those without a key are counted by it.
            scopes: What the request needs.

        Raises:
            ApiError: It is not let in, and why.
        """
        if not shown.startswith(PREFIX):
            if not self._settings.api_anonymous:
                raise _unknown("missing_api_key", "Send a key as `Authorization: Bearer footnote_…`")
            self._count_minute(f"address {address}", self._settings.api_anonymous_per_minute)
            return ""
        key = self._keys.find(shown)
        if key is None:
            raise _unknown("invalid_api_key", "This key was never given out")
        if (state := key.state(datetime.now(UTC))) != "valid":
            raise _unknown(f"{state}_api_key", f"This key is {state}")
        if missing := [scope for scope in SCOPES if scope in scopes and scope not in key.scopes]:
            message = f"This key does not have the scope {missing[0]!r}: ask the operator for one that has."
            raise ApiError(403, ErrorDetails(message=message, type="permission_error", code="insufficient_scope"))
        self._count(key)
        return f"key-{key.key_id}"

    def _count(self, key: ApiKey) -> None:
        if key.per_minute is not None:
            self._count_minute(f"key {key.key_id}", key.per_minute)
        if not self._keys.count(key):
            now = datetime.now(UTC)
            left = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second)
            raise _too_many(f"This key's {key.per_day} requests of today are used", "insufficient_quota", left)

    def _count_minute(self, caller: str, per_minute: int) -> None:
        if wait := self._allowance.take(caller, per_minute):
            raise _too_many(f"There may be {per_minute} requests in a minute", "rate_limit_exceeded", wait)


def _unknown(code: str, reason: str) -> ApiError:
    details = ErrorDetails(
        message=f"{reason}: the operator makes keys with `footnote key add`.", type="authentication_error", code=code
    )
    return ApiError(401, details, {"WWW-Authenticate": "Bearer"})


def _too_many(reason: str, code: str, seconds: float) -> ApiError:
    seconds = max(1, math.ceil(seconds))
    details = ErrorDetails(message=f"{reason}: ask again in {seconds} s.", type="rate_limit_error", code=code)
    return ApiError(429, details, {"Retry-After": str(seconds)})
