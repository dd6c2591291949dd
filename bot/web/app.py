"""The web application, put together: our own routes, the page's files, and Gradio below them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.middleware.gzip import GZipMiddleware
from fastapi.middleware.trustedhost import TrustedHostMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from bot.api_keys import ApiKeys
from bot.chatbot import Chatbot
from bot.operations.metrics import Metrics
from bot.records.answers import AnswerRecords
from bot.records.shared import SharedAnswers
from bot.settings import Settings
from bot.web.answering import Answering
from bot.web.api.app import api_pages, build_api
from bot.web.api.paths import is_api
from bot.web.asking import Asking
from bot.web.chat import chat_routes
from bot.web.composer import build_composer, gradio_files, gradio_script
from bot.web.counted import CountedResponses
from bot.web.health import health_routes
from bot.web.late import LateApp
from bot.web.limits.guard import Guard
from bot.web.limits.rates import Rates
from bot.web.my_data import my_data_routes
from bot.web.pages import Branch, Pages, is_below
from bot.web.render import PAGE_FILES
from bot.web.security import Gate
from bot.web.shared import shared_routes
from bot.web.source import source_routes
from bot.web.widget import widget_routes
from index.errors import FootnoteError

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
    metrics.watch("index_ready", "Whether there is an index to answer from.", lambda: _ready(chatbot.is_indexed))
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
