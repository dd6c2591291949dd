"""An application that takes seconds to build: built in a thread while the one around it is served already."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send


class LateApp:
    """Passes requests on to an application; those that come before it is built wait for it.

    Args:
        build: Returns the application. Called once, in a thread, when the application around it starts.

    Attributes:
        app: The application; None before it is built.
    """

    def __init__(self, build: Callable[[], Starlette]) -> None:
        self._build = build
        self._opening: asyncio.Task[Starlette] | None = None
        self.app: Starlette | None = None

    @asynccontextmanager
    async def lifespan(self, _around: Starlette) -> AsyncIterator[None]:
        """Begin to build, and end what was built: to be run as the lifespan of the application around it."""
        async with AsyncExitStack() as opened:
            self._opening = asyncio.create_task(self._open(opened))
            try:
                yield
            finally:
                await asyncio.wait({self._opening})  # a thread cannot be told to stop

    async def opened(self) -> Starlette:
        """Return the application once it is built.

        Raises:
            Exception: What building it raised.
        """
        assert self._opening is not None, "the application around it has not started"
        return await asyncio.shield(self._opening)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = await self.opened()
        await app(scope, receive, send)

    async def _open(self, opened: AsyncExitStack) -> Starlette:
        app = await asyncio.to_thread(self._build)
        await opened.enter_async_context(app.router.lifespan_context(app))
        self.app = app
        return app
