"""An application that takes seconds to build: built in a thread while the one around it is served already.

HTTP responses, counted for the operator.

The web application, put together: our own routes, the page's files, and Gradio below them.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from starlette.applications import Starlette
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot.chatbot import Chatbot
from bot.operations.metrics import Metrics
from bot.settings import Settings
from bot.storage.answers import AnswerRecords
from bot.storage.api_keys import ApiKeys
from bot.storage.shared_links import SharedAnswers
from bot.web.answer_service import Answering
from bot.web.api.app import api_pages, build_api
from bot.web.extensions import Branch, Pages, is_below
from bot.web.health import health_routes
from bot.web.limits import Guard, Rates
from bot.web.page.chat import chat_routes, my_data_routes
from bot.web.page.composer import build_composer, gradio_files, gradio_script
from bot.web.page.render import PAGE_FILES
from bot.web.page.shared import shared_routes
from bot.web.page.source import source_routes
from bot.web.page.stream import Asking
from bot.web.page.widget import widget_routes
from bot.web.security import Gate, is_api
from index.errors import FootnoteError


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


class CountedResponses:
    """Counts what the application around it responds."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its response."""

        async def counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.responded(message["status"])
            await send(message)

        await self._app(scope, receive, counted)


_SMALLEST_COMPRESSED = 1_000  # bytes


def build_app(
    chatbot: Chatbot,
    records: AnswerRecords,
    groups: Sequence[Pages] = (),
    metrics: Metrics | None = None,
    keys: ApiKeys | None = None,
) -> FastAPI:
    """Return the web application around a chatbot, with groups of pages that other packages bring.

    Programs find the API where there are keys to let them in.

    A request passes what `_guard` puts around it first, then the groups, then our routes, then Gradio, which answers
    everything that is left. Gradio takes seconds to load; the page does not wait for it. It is at `state.composer`.

    Raises:
        SettingsError: A limit cannot be used.
    """
    asking = Asking(chatbot, records)
    rates = Rates(chatbot.settings)
    if keys is not None:
        groups = (*api_pages(build_api(chatbot, asking.answering, keys, rates)), *groups)
    composer = LateApp(partial(build_composer, asking))
    app = FastAPI(title="Footnote", docs_url=None, redoc_url=None, openapi_url=None, lifespan=composer.lifespan)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_COMPRESSED, compresslevel=6)
    for pages in groups:
        app.add_middleware(Branch, pages=pages)
    _guard(app, chatbot.settings, asking.answering, rates, groups)
    app.include_router(chat_routes(chatbot, records, gradio_script()))
    app.include_router(my_data_routes(records))
    app.include_router(source_routes(chatbot))
    app.include_router(shared_routes(chatbot, SharedAnswers(records)))
    app.include_router(widget_routes(chatbot, gradio_script()))
    app.include_router(health_routes(chatbot, lambda: composer.app is not None))
    if metrics is not None:
        app.add_middleware(CountedResponses, metrics=metrics)
        _watch(metrics, chatbot, asking.answering)
    app.mount("/page", PAGE_FILES)
    app.mount("/assets", gradio_files())
    app.mount("/", composer)
    app.state.composer = composer
    app.state.answering = asking.answering
    return app


def _watch(metrics: Metrics, chatbot: Chatbot, answering: Answering) -> None:
    metrics.watch("questions_under_way", "Questions that are not answered yet.", lambda: answering.count()[0])
    metrics.watch("questions_waiting", "Questions of these that wait for their turn.", lambda: answering.count()[1])
    metrics.watch(
        "index_ready", "Whether there is an index to answer from.", lambda: _ready(chatbot.library.is_indexed)
    )
    if chatbot.settings.answerer != "extractive":
        metrics.watch("model_ready", "Whether a language model would be asked.", lambda: _ready(chatbot.model_is_ready))


def _ready(state: Callable[[], bool]) -> float:
    with suppress(FootnoteError):
        return float(state())
    return 0.0


def _guard(app: FastAPI, settings: Settings, answering: Answering, rates: Rates, groups: Sequence[Pages]) -> None:
    """Put what turns requests away around an application; what is added last is passed first."""
    origins, below = settings.allowed_origins, tuple(pages.path for pages in groups)
    app.add_middleware(
        Guard,
        rates=rates,
        stopping=lambda: answering.stopping,
        behind_proxy=bool(settings.trusted_proxies),
    )
    app.add_middleware(Gate, below=below, origins=origins, widget_origins=settings.widget_origins)
    if origins:
        app.add_middleware(_PublicCors, closed=[top for top in below if not is_api(top)], origins=origins)
    if settings.allowed_hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts, www_redirect=False)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(network) for network in settings.trusted_proxies])


class _PublicCors(CORSMiddleware):
    """Lets named sites ask the page and the API from their own pages, but never the staff's and evaluator's."""

    def __init__(self, app: ASGIApp, closed: Sequence[str], origins: Sequence[str]) -> None:
        super().__init__(app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["authorization"])
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, with the headers of CORS where they belong."""
        theirs = scope["type"] == "http" and any(is_below(scope["path"], top) for top in self._closed)
        await (self.app(scope, receive, send) if theirs else super().__call__(scope, receive, send))
