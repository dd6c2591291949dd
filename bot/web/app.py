"""The web application: middleware, our own routes, the page's files, and Gradio below them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial

from fastapi import APIRouter, FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot.chatbot import Chatbot
from bot.operations.metrics import Metrics
from bot.settings import Settings
from bot.storage.answers import AnswerRecords
from bot.storage.api_keys import ApiKeys
from bot.storage.shared_links import SharedAnswers
from bot.web.answer_service import AnswerService
from bot.web.api.api import build_api
from bot.web.extensions import Branch, Pages, is_below
from bot.web.page.chat_page import chat_routes
from bot.web.page.composer import build_composer, gradio_files, gradio_script
from bot.web.page.render_html import PAGE_FILES
from bot.web.page.shared_page import shared_routes
from bot.web.page.source_page import document_page_routes
from bot.web.page.stream import PageStream
from bot.web.rate_limits import RateLimitMiddleware, RateLimits
from bot.web.security import SecurityMiddleware, is_api
from index.errors import FootnoteError

logger = logging.getLogger(__name__)

_SMALLEST_COMPRESSED = 1_000  # bytes


def build_app(
    chatbot: Chatbot,
    records: AnswerRecords,
    groups: Sequence[Pages] = (),
    metrics: Metrics | None = None,
    keys: ApiKeys | None = None,
) -> FastAPI:
    """Return the web application around a chatbot, with groups of pages that other packages bring.

    A request passes the middleware of `_protect` first, then the groups, then our routes, then Gradio, which answers
    everything that is left. Gradio takes seconds to load; the page does not wait for it. It is at `state.composer`.

    Raises:
        SettingsError: A limit cannot be used.
    """
    service, limits = AnswerService(chatbot, records), RateLimits(chatbot.settings)
    if keys is not None:
        groups = (*build_api(chatbot, service, keys, limits), *groups)
    composer = LazyApp(partial(build_composer, PageStream(chatbot, service)))
    app = FastAPI(title="Footnote", docs_url=None, redoc_url=None, openapi_url=None, lifespan=composer.lifespan)
    app.add_middleware(GZipMiddleware, minimum_size=_SMALLEST_COMPRESSED, compresslevel=6)
    for pages in groups:
        app.add_middleware(Branch, pages=pages)
    _protect(app, chatbot.settings, service, limits, groups)
    app.include_router(chat_routes(chatbot, records, gradio_script()))
    app.include_router(document_page_routes(chatbot.document))
    app.include_router(shared_routes(chatbot.document, SharedAnswers(records)))
    app.include_router(_health_routes(chatbot, composer))
    if metrics is not None:
        app.add_middleware(MetricsMiddleware, metrics=metrics)
        _watch(metrics, chatbot, service)
    app.mount("/page", PAGE_FILES)
    app.mount("/assets", gradio_files())
    app.mount("/", composer)
    app.state.composer = composer
    app.state.answer_service = service
    return app


class LazyApp:
    """An application that takes seconds to build: built in a thread while the one around it serves already.

    Requests that arrive before it is built wait for it.

    Args:
        build: Returns the application. Called once, in a thread, when the application around it starts.

    Attributes:
        app: The application; None before it is built.
    """

    def __init__(self, build: Callable[[], Starlette]) -> None:
        self._build = build
        self._building: asyncio.Task[Starlette] | None = None
        self.app: Starlette | None = None

    @asynccontextmanager
    async def lifespan(self, _around: Starlette) -> AsyncIterator[None]:
        """Start to build, and close what was built: the lifespan of the application around it."""
        async with AsyncExitStack() as opened:
            self._building = asyncio.create_task(self._open(opened))
            try:
                yield
            finally:
                await asyncio.wait({self._building})  # a thread cannot be told to stop

    async def built(self) -> Starlette:
        """Return the application once it is built.

        Raises:
            Exception: What building it raised.
        """
        assert self._building is not None, "the application around it has not started"
        return await asyncio.shield(self._building)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        app = await self.built()
        await app(scope, receive, send)

    async def _open(self, opened: AsyncExitStack) -> Starlette:
        app = await asyncio.to_thread(self._build)
        await opened.enter_async_context(app.router.lifespan_context(app))
        self.app = app
        return app


def _protect(
    app: FastAPI, settings: Settings, service: AnswerService, limits: RateLimits, groups: Sequence[Pages]
) -> None:
    """Add the middleware that rejects requests; what is added last runs first."""
    origins, below = settings.allowed_origins, tuple(pages.path for pages in groups)
    app.add_middleware(
        RateLimitMiddleware,
        limits=limits,
        stopping=lambda: service.stopping,
        behind_proxy=bool(settings.trusted_proxies),
    )
    app.add_middleware(SecurityMiddleware, below=below, origins=origins, widget_origins=settings.widget_origins)
    if origins:
        app.add_middleware(_PublicCors, closed=[top for top in below if not is_api(top)], origins=origins)
    if settings.allowed_hosts:
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=settings.allowed_hosts, www_redirect=False)
    if settings.trusted_proxies:
        app.add_middleware(ProxyHeadersMiddleware, trusted_hosts=[str(network) for network in settings.trusted_proxies])


class _PublicCors(CORSMiddleware):
    """CORS for the page and the API; pages of the staff and the evaluator never get its headers."""

    def __init__(self, app: ASGIApp, closed: Sequence[str], origins: Sequence[str]) -> None:
        super().__init__(app, allow_origins=origins, allow_methods=["GET", "POST"], allow_headers=["authorization"])
        self._closed = closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_closed = scope["type"] == "http" and any(is_below(scope["path"], top) for top in self._closed)
        await (self.app(scope, receive, send) if is_closed else super().__call__(scope, receive, send))


def _health_routes(chatbot: Chatbot, composer: LazyApp) -> APIRouter:
    """Return `/healthz` (the process answers) and `/readyz` (200 when questions can be answered, else 503)."""
    router = APIRouter()

    @router.get("/healthz")
    async def alive() -> dict[str, str]:
        return {"process": "ok"}

    @router.get("/readyz")
    def ready() -> JSONResponse:
        try:
            index = "ok" if chatbot.library.is_indexed() else "empty"
        except FootnoteError as error:
            logger.warning("not ready: %s", error)  # the reason is not for a public address
            index = "unavailable"
        states = {"index": index, "page": "ok" if composer.app is not None else "loading"}
        return JSONResponse(states, 200 if set(states.values()) == {"ok"} else 503)

    return router


class MetricsMiddleware:
    """Counts responses by status for the operator."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and count its response."""

        async def count_and_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._metrics.responded(message["status"])
            await send(message)

        await self._app(scope, receive, count_and_send)


def _watch(metrics: Metrics, chatbot: Chatbot, service: AnswerService) -> None:
    def as_number(state: Callable[[], bool]) -> float:
        with suppress(FootnoteError):
            return float(state())
        return 0.0

    library = chatbot.library
    metrics.watch("questions_under_way", "Questions that are not answered yet.", lambda: service.count()[0])
    metrics.watch("questions_waiting", "Questions of these that wait for their turn.", lambda: service.count()[1])
    metrics.watch("index_ready", "Whether there is an index to answer from.", lambda: as_number(library.is_indexed))
    if chatbot.settings.answerer != "extractive":
        description = "Whether a language model would be asked."
        metrics.watch("model_ready", description, lambda: as_number(chatbot.model_is_ready))
