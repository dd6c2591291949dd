"""Chooses who is asked, by name."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager

from bot.build import build_chatbot
from bot.language_model.build import build_language_model
from bot.settings import Settings
from eval.benchmark.respondent import ChatbotOpener, Opener
from eval.benchmark.starter import open_starter
from index.embedding.build import build_embedder


@contextmanager
def open_answerer(settings: Settings, *, search_only: bool) -> Iterator[Opener]:
    """Yield the chatbot with the answerer of the settings; a local model runs once, however many corpora there are."""
    embedder = build_embedder(settings)
    model = build_language_model(settings)
    try:
        build = functools.partial(build_chatbot, language_model=model)
        yield ChatbotOpener(settings, embedder, build, search_only=search_only)
    finally:
        if model is not None:
            model.close()


@contextmanager
def open_baseline(settings: Settings, url: str | None, model: str) -> Iterator[Opener]:
    """Yield the starter over the same embedding model; `url` and `model` as in `open_starter`."""
    with open_starter(settings, build_embedder(settings), url, model) as starter:
        yield starter
