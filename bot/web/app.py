"""The web application, put together: our own routes, the page's files, and Gradio below them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from fastapi.staticfiles import StaticFiles

from bot.chatbot import Chatbot
from bot.feedback import FeedbackStore
from bot.web.asking import Asking
from bot.web.chat import chat_routes
from bot.web.composer import build_composer, gradio_script, mount_composer
from bot.web.pages import Branch, Pages
from bot.web.security import Gate
from bot.web.source import source_routes

_STATIC = Path(__file__).parent / "static"


def build_app(chatbot: Chatbot, feedback: FeedbackStore, groups: Sequence[Pages] = ()) -> FastAPI:
    """Return the web application around a chatbot, with groups of pages that other packages bring.

    A request passes `Gate` first, then the groups, then our routes, then Gradio, which answers everything that is left.
    """
    os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"
    app = FastAPI(title="Footnote", docs_url=None, redoc_url=None, openapi_url=None)
    # With a CORS policy of our own in place, Gradio does not add its own, which reflects foreign origins.
    app.add_middleware(CORSMiddleware, allow_origins=[])
    for pages in groups:
        app.add_middleware(Branch, pages=pages)
    app.add_middleware(Gate, below=tuple(pages.path for pages in groups))
    app.include_router(chat_routes(chatbot, feedback, gradio_script()))
    app.include_router(source_routes(chatbot))
    app.mount("/page", StaticFiles(directory=_STATIC))
    mount_composer(app, build_composer(Asking(chatbot)))
    return app
