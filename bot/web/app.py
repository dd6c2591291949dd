"""The web application, put together: our own routes, the page's files, and Gradio below them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from bot.api_keys import ApiKeys
from bot.chatbot import Chatbot
from bot.records.answers import AnswerRecords
from bot.web.api.app import api_pages, build_api
from bot.web.asking import Asking
from bot.web.chat import chat_routes
from bot.web.composer import build_composer, gradio_script
from bot.web.late import LateApp
from bot.web.pages import Branch, Pages
from bot.web.security import Gate
from bot.web.source import source_routes

_STATIC = Path(__file__).parent / "static"


def build_app(
    chatbot: Chatbot, records: AnswerRecords, groups: Sequence[Pages] = (), keys: ApiKeys | None = None
) -> FastAPI:
    """Return the web application around a chatbot, with groups of pages that other packages bring.

    Programs find the API where there are keys to let them in.

    A request passes `Gate` first, then the groups, then our routes, then Gradio, which answers everything that is left.
    Gradio takes seconds to load; the page does not wait for it. It is at `state.composer`.
    """
    asking = Asking(chatbot, records)
    if keys is not None:
        groups = (*api_pages(build_api(chatbot, asking, records, keys)), *groups)
    composer = LateApp(partial(build_composer, asking))
    app = FastAPI(title="Footnote", docs_url=None, redoc_url=None, openapi_url=None, lifespan=composer.lifespan)
    for pages in groups:
        app.add_middleware(Branch, pages=pages)
    app.add_middleware(Gate, below=tuple(pages.path for pages in groups))
    app.include_router(chat_routes(chatbot, records, gradio_script()))
    app.include_router(source_routes(chatbot))
    app.mount("/page", StaticFiles(directory=_STATIC))
    app.mount("/", composer)
    app.state.composer = composer
    return app
