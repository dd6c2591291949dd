"""An application of another kind behind the keys of the API, served by itself."""

from __future__ import annotations

import sys
from contextlib import closing

import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.settings import Settings
from bot.storage.api_keys import SCOPES, ApiKeys
from bot.web.api.authentication import Door
from bot.web.api.errors import ApiError, error_response
from bot.web.limits import Rates, caller_of
from bot.web.serve import address_of, open_port


class Guarded:
    """Lets in whom the API lets in, with a key that has every scope."""

    def __init__(self, app: ASGIApp, door: Door) -> None:
        self._app = app
        self._door = door

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or turn it away with 401, 403 or 429."""
        if scope["type"] == "http":
            kind, _, shown = Headers(scope=scope).get("authorization", "").partition(" ")
            try:
                await self._door.admit(shown.strip() if kind.lower() == "bearer" else "", caller_of(scope), SCOPES)
            except ApiError as error:
                await error_response(error.status, error.details, error.headers)(scope, receive, send)
                return
        await self._app(scope, receive, send)


def serve_guarded(app: ASGIApp, name: str, path: str, settings: Settings) -> None:
    """Serve an application at the address of the settings until interrupted.

    Args:
        app: What is served.
        name: What it is, as the terminal names it.
        path: Where it is.
        settings: The address, and who is let in.

    Raises:
        ServeError: The port or the address cannot be used.
    """
    with (
        closing(open_port(settings.host, settings.port)) as listener,
        closing(ApiKeys(settings.catalogue_url())) as keys,
    ):
        sys.stderr.write(f"{name} is at {address_of(listener)}{path} (press Ctrl-C to stop)\n")
        sys.stderr.flush()
        guarded = Guarded(app, Door(keys, settings, Rates(settings)))
        configuration = uvicorn.Config(guarded, log_level="warning", access_log=False, server_header=False, ws="none")
        uvicorn.Server(configuration).run(sockets=[listener])
