"""Authentication of programs: an API key with the required scopes, within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Annotated

from fastapi import Request, Security
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Send
from starlette.types import Scope as AsgiScope

from bot.settings import Settings
from bot.storage.api_keys import PREFIX, SCOPES, ApiKey, ApiKeys, Scope
from bot.web.api.errors import ApiError, ErrorDetails
from bot.web.rate_limits import RateLimits, caller_of

_bearer = HTTPBearer(
    scheme_name="key",
    description="A key from `footnote key add`, as `Authorization: Bearer footnote_…`.",
    auto_error=False,
)


class KeyAuthentication:
    """Checks the API keys of requests and counts the requests.

    Args:
        keys: The keys that were issued.
        settings: Says whether requests without a key are accepted.
        limits: How often requests may come.
    """

    def __init__(self, keys: ApiKeys, settings: Settings, limits: RateLimits) -> None:
        self._keys = keys
        self._settings = settings
        self._limits = limits

    def requires(self, *scopes: Scope) -> Callable[..., Awaitable[None]]:
        """Return the FastAPI dependency that admits requests with a key of all `scopes`.

        It sets `request.state.key` to the key's name, empty without one, and `request.state.caller` to the caller that
        questions are queued and counted by.
        """

        async def check(
            request: Request, shown: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)] = None
        ) -> None:
            address = caller_of(request.scope)
            request.state.key = await self.admit(shown.credentials if shown else "", address, scopes)
            request.state.caller = request.state.key or address

        return check

    async def admit(self, shown: str, address: str, scopes: tuple[Scope, ...]) -> str:
        """Count a request and return the name of its key, `key-ID`, or nothing without a key.

        Args:
            shown: The key, empty for none. What does not look like one counts as none: clients that cannot leave
                the key out send any word.
            address: Where the request comes from; without a key it counts as a visitor's.
            scopes: What the request needs.

        Raises:
            ApiError: The request is rejected.
        """
        if not shown.startswith(PREFIX):
            if not self._settings.api_anonymous:
                raise _unauthorized("missing_api_key", "Send a key as `Authorization: Bearer footnote_…`")
            if "answer" in scopes and (wait := await self._limits.question(address)):
                raise _too_many("You have asked a lot", "rate_limit_exceeded", wait)
            await self._count_question(scopes)
            return ""
        key = await asyncio.to_thread(self._keys.find, shown)
        if key is None:
            raise _unauthorized("invalid_api_key", "This key was never given out")
        if (state := key.state(datetime.now(UTC))) != "valid":
            raise _unauthorized(f"{state}_api_key", f"This key is {state}")
        if missing := [scope for scope in SCOPES if scope in scopes and scope not in key.scopes]:
            message = f"This key does not have the scope {missing[0]!r}: ask the operator for one that has."
            raise ApiError(403, ErrorDetails(message=message, type="permission_error", code="insufficient_scope"))
        await self._count_request(key)
        await self._count_question(scopes)
        return f"key-{key.key_id}"

    async def _count_request(self, key: ApiKey) -> None:
        if key.per_minute is not None and (wait := await self._limits.request_of_key(key.key_id, key.per_minute)):
            raise _too_many(f"This key is for {key.per_minute} requests a minute", "rate_limit_exceeded", wait)
        if not await asyncio.to_thread(self._keys.count, key):
            now = datetime.now(UTC)
            left = 86_400 - (now.hour * 3_600 + now.minute * 60 + now.second)
            raise _too_many(f"This key's {key.per_day} requests of today are used", "insufficient_quota", left)

    async def _count_question(self, scopes: tuple[Scope, ...]) -> None:
        if "answer" in scopes and (wait := await self._limits.question_of_anyone()):
            raise _too_many("Too many questions are asked just now", "rate_limit_exceeded", wait)


class KeyAuthenticationMiddleware:
    """Puts another ASGI application behind the API's keys; requests need a key with every scope."""

    def __init__(self, app: ASGIApp, authentication: KeyAuthentication) -> None:
        self._app = app
        self._authentication = authentication

    async def __call__(self, scope: AsgiScope, receive: Receive, send: Send) -> None:
        """Answer a request, or reject it with 401, 403 or 429."""
        if scope["type"] == "http":
            kind, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
            key = shown.strip() if kind.lower() == "bearer" else ""
            try:
                await self._authentication.admit(key, caller_of(scope), SCOPES)
            except ApiError as error:
                await error.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)


def _unauthorized(code: str, reason: str) -> ApiError:
    details = ErrorDetails(
        message=f"{reason}: the operator makes keys with `footnote key add`.", type="authentication_error", code=code
    )
    return ApiError(401, details, {"WWW-Authenticate": "Bearer"})


def _too_many(reason: str, code: str, seconds: int) -> ApiError:
    details = ErrorDetails(message=f"{reason}: ask again in {seconds} s.", type="rate_limit_error", code=code)
    return ApiError(429, details, {"Retry-After": str(seconds)})
