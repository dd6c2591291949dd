"""The only place that chooses implementations."""

from __future__ import annotations

from importlib.metadata import version

from bot.answerers.extractive import ExtractiveAnswerer
from bot.chatbot import Chatbot
from bot.judge import load_calibration
from bot.settings import Settings
from index.catalogue import Catalogue
from index.embedder import Embedder, RememberingEmbedder, SentenceTransformerEmbedder
from index.retriever import Retriever


def build_chatbot(settings: Settings, embedder: Embedder | None = None) -> Chatbot:
    """Return a chatbot over the index that the settings name.

    Args:
        settings: What to build.
        embedder: The embedding model where it is loaded already.

    Raises:
        FootnoteError: The database or the embedding model cannot be used.
    """
    catalogue = Catalogue(settings.catalogue_url())
    embedder = RememberingEmbedder(embedder or SentenceTransformerEmbedder(settings.embedding_model))
    return Chatbot(
        settings=settings,
        catalogue=catalogue,
        retriever=Retriever(catalogue, embedder, settings.data_dir),
        embedder=embedder,
        answerer=ExtractiveAnswerer(),
        calibration=load_calibration(),
        version=version("footnote-chat"),
    )
