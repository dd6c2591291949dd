"""The only place that chooses implementations."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from importlib.metadata import version

from bot.answer.answer import Answer
from bot.answer.timing import StageTime
from bot.chatbot import Chatbot
from bot.language_model import LanguageModel
from bot.language_model.build import build_language_model
from bot.settings import Settings
from bot.staff.approved_answers import ApprovedAnswers
from bot.staff.approved_recall import Recall
from bot.staff.same_question import load_sameness
from bot.stages.judgement.answerability import load_calibration
from bot.storage.schema import RECORDS
from bot.storage.threshold import RefusalThreshold
from index.embedding.build import build_embedder, comparing_embedder
from index.embedding.embedder import CachingEmbedder, Embedder
from index.search.chroma_server import chroma_server
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue


def build_chatbot(
    settings: Settings,
    embedder: Embedder | None = None,
    language_model: LanguageModel | None = None,
    *,
    mend: bool = False,
    on_answer: Callable[[Answer, Sequence[StageTime]], None] = lambda _answer, _stages: None,
    secret: str = "",
) -> Chatbot:
    """Return a chatbot over the index that the settings name.

    Args:
        settings: What to build.
        embedder: The embedding model where it is loaded already.
        language_model: The language model where one is running already, left running on close; else the one that the
            settings name.
        on_answer: Called with each answer and the stages it went through.
        mend: Build the files of a damaged index again in the background: for processes that stay.
        secret: As in `Chatbot`: for processes that strangers ask.

    Raises:
        SettingsError: A remote model is named without its address.
        FootnoteError: The database or the embedding model cannot be used.
    """
    catalogue = Catalogue(settings.catalogue_url())
    RECORDS.upgrade(catalogue.engine)
    loaded = embedder or build_embedder(settings)
    half = comparing_embedder(loaded)
    embedder = CachingEmbedder(loaded)
    # Where it is the same model, what was embedded to search need not be embedded again to compare.
    comparing = embedder if half is loaded else CachingEmbedder(half)
    own_model = None if language_model else build_language_model(settings)
    return Chatbot(
        settings=settings,
        catalogue=catalogue,
        retriever=Retriever(
            catalogue,
            embedder,
            settings.data_dir,
            settings.fusion(),
            mend=mend,
            server=chroma_server(settings, catalogue),
            comparing=comparing,
        ),
        embedder=embedder,
        comparing=comparing,
        calibration=load_calibration(),
        version=version("footnote-chat"),
        recall=_recall(settings, catalogue, embedder),
        language_model=language_model or own_model,
        on_answer=on_answer,
        on_close=own_model.close if own_model else lambda: None,
        threshold=RefusalThreshold(catalogue.engine, settings).value,
        secret=secret,
    )


def with_chosen(settings: Settings) -> Settings:
    """Return settings as they are in force: what an admin chose is set in them, and does not change any more."""
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        RECORDS.upgrade(catalogue.engine)
        return settings.model_copy(update={"refusal_threshold": RefusalThreshold(catalogue.engine, settings).value()})


def _recall(settings: Settings, catalogue: Catalogue, embedder: Embedder) -> Recall | None:
    if not settings.approved_answers:
        return None
    return Recall(ApprovedAnswers(catalogue.engine), catalogue.document, embedder, load_sameness())
