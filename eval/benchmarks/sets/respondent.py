"""Who is asked: the chatbot, opened over a corpus, for answers or for a search alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any
from typing import Protocol as Interface

from bot.answer.answer import SearchResult
from bot.answer.conversation import Turn
from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.settings import Settings
from eval.benchmarks.dataset import Query, index_corpus
from eval.benchmarks.sets.answers import StoredAnswer, describe_chatbot, store, store_search
from eval.run.asker import Subject
from eval.run.suite_run import stored_texts
from index.embedding.embedder import Embedder

# Asks one question and returns what became of it.
Respondent = Callable[[Query], StoredAnswer]
# All that the retriever looks at for a question, so that ten documents are among them even where each has many chunks.
SEARCHED_CHUNKS = 100


class Opener(Interface):
    """Opens whoever is measured over any corpus."""

    def measured(self) -> dict[str, Any]:
        """Return what the answers depend on besides documents and question; `answerer` is its name."""

    def open(self, corpus: Path, data_dir: Path) -> AbstractContextManager[Respondent]:
        """Return someone to ask about a corpus, whose index is kept in a folder."""


class ChatbotOpener:
    """Opens the chatbot. The models are loaded once, however many corpora there are.

    Args:
        settings: Of the chatbot; its data folder and database are replaced by those of the corpus.
        embedder: The embedding model.
        build: Makes a chatbot of settings and embedding model.
        search_only: Have it search and not answer.
    """

    def __init__(
        self,
        settings: Settings,
        embedder: Embedder,
        build: Callable[[Settings, Embedder], Chatbot] = build_chatbot,
        *,
        search_only: bool = False,
    ) -> None:
        self._settings = settings
        self._embedder = embedder
        self._build = build
        self._search_only = search_only
        self._measured = describe_chatbot(settings, embedder.model_id)  # now: the code that is loaded, not edited later
        if search_only:
            self._measured |= {"answerer": "search", "chunks": SEARCHED_CHUNKS}

    def measured(self) -> dict[str, Any]:
        """Return what the chatbot's answers depend on."""
        return self._measured

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
        """Index the corpus, unless it is there already, and yield a chatbot over it."""
        chatbot = self._build(index_corpus(corpus, data_dir, self._settings, self._embedder), self._embedder)
        try:
            chatbot.warm_up()
            yield searcher(chatbot) if self._search_only else respondent(chatbot)
        finally:
            chatbot.close()


def respondent(subject: Subject) -> Respondent:
    """Return a chatbot, or a fake of the same shape, as somebody to ask."""
    text_of = stored_texts(subject)

    def ask(query: Query) -> StoredAnswer:
        answer = subject.ask(query.question, query.history, question_id=query.query_id)
        return store(query, answer, text_of)

    return ask


class Searchable(Interface):
    """What searching needs of a chatbot."""

    def search(
        self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None, top_k: int | None = None
    ) -> SearchResult:
        """Return what a question retrieves."""
        ...


def searcher(subject: Searchable) -> Respondent:
    """Return a chatbot, or a fake of the same shape, as somebody who searches and does not answer."""

    def search(query: Query) -> StoredAnswer:
        found = subject.search(query.question, query.history, question_id=query.query_id, top_k=SEARCHED_CHUNKS)
        return store_search(query, found)

    return search
