"""Asks the questions of a set that have no stored answer yet, of the chatbot or of the starter."""

from __future__ import annotations

import functools
import hashlib
import itertools
import json
import traceback
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from bot.build import build_chatbot
from bot.chatbot import Chatbot
from bot.language_model.build import build_language_model
from bot.settings import Settings
from eval.benchmarks.record_file import open_records
from eval.benchmarks.sets.public_set import BenchmarkSet, CorpusQueries, Query, index_corpus, read_rows
from eval.benchmarks.sets.stored_answer import (
    StoredAnswer,
    asked_hash,
    describe_chatbot,
    fingerprint,
    store_answer,
    store_search,
)
from eval.errors import EvaluationError
from eval.run.asker import Subject
from eval.run.suite_run import stored_texts
from index.embedding.build import build_embedder
from index.embedding.embedder import Embedder

# Asks one question and returns the reply.
Respondent = Callable[[Query], StoredAnswer]
# Called with a title and how many steps there are; gives a function that is called after each.
ShowProgress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]
Opened_co = TypeVar("Opened_co", covariant=True)
# All that the retriever looks at for a question, so that ten documents are among them even where each has many chunks.
_SEARCHED_CHUNKS = 100


class CorpusOpener(Protocol[Opened_co]):
    """Opens something over a corpus."""

    def open(self, corpus: Path, data_dir: Path) -> AbstractContextManager[Opened_co]:
        """Return it; its index is kept in the folder, and leaving the context closes it."""
        ...


class Answerer(CorpusOpener[Respondent], Protocol):
    """What a benchmark measures: over any corpus, a respondent."""

    def measured(self) -> dict[str, Any]:
        """Return what the answers depend on besides documents and question; `answerer` is its name."""
        ...


class ChatbotAnswerer:
    """The chatbot. The models are loaded once, however many corpora there are.

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
            self._measured |= {"answerer": "search", "chunks": _SEARCHED_CHUNKS}

    def measured(self) -> dict[str, Any]:
        """Return what the chatbot's answers depend on."""
        return self._measured

    @contextmanager
    def open(self, corpus: Path, data_dir: Path) -> Iterator[Respondent]:
        """Index the corpus, unless it is there already, and yield a chatbot over it."""
        settings = index_corpus(corpus, data_dir, self._settings, self._embedder)
        with closing(self._build(settings, self._embedder)) as chatbot:
            chatbot.warm_up()
            yield searching_respondent(chatbot) if self._search_only else answering_respondent(chatbot)


@contextmanager
def open_chatbot_answerer(settings: Settings, *, search_only: bool) -> Iterator[Answerer]:
    """Yield the chatbot with the answerer of the settings; a local model runs once, however many corpora there are."""
    embedder = build_embedder(settings)
    with ExitStack() as stack:
        model = build_language_model(settings)
        if model is not None:
            stack.callback(model.close)
        build = functools.partial(build_chatbot, language_model=model)
        yield ChatbotAnswerer(settings, embedder, build, search_only=search_only)


def answering_respondent(subject: Subject) -> Respondent:
    """Return a respondent that asks a chatbot, or a fake of the same shape."""
    text_of = stored_texts(subject)

    def ask(query: Query) -> StoredAnswer:
        return store_answer(query, subject.ask(query.question, query.history, question_id=query.query_id), text_of)

    return ask


def searching_respondent(subject: Chatbot) -> Respondent:
    """Return a respondent that searches with a chatbot, or a fake of the same shape, and does not answer."""

    def search(query: Query) -> StoredAnswer:
        found = subject.search(query.question, query.history, question_id=query.query_id, top_k=_SEARCHED_CHUNKS)
        return store_search(query, found)

    return search


@dataclass(frozen=True, slots=True)
class CorpusAnswers:
    """The answers to the questions about one corpus, in the order of the questions.

    Attributes:
        measured: What they depend on.
        path: The file that keeps them.
    """

    answers: tuple[StoredAnswer, ...]
    measured: dict[str, Any]
    path: Path


def answer_set(chosen: BenchmarkSet, answerer: Answerer, work: Path, progress: ShowProgress) -> list[CorpusAnswers]:
    """Return the answers to a set, asking only what has not been asked; indexes and answers are kept below `work`."""
    folder = work / "answers" / chosen.name.replace("/", "-")
    # Only the form that is not the usual one is named, so that answers from before there were two are still found.
    form = {} if chosen.query == "history" else {"query": chosen.query}
    measured = {**answerer.measured(), **form}
    return [_answer_corpus(one, answerer, measured, work, folder, progress) for one in chosen.collections]


def _answer_corpus(
    chosen: CorpusQueries,
    answerer: Answerer,
    measured: Mapping[str, Any],
    work: Path,
    folder: Path,
    progress: ShowProgress,
) -> CorpusAnswers:
    with chosen.corpus.open("rb") as file:
        depends_on = {**measured, "corpus": hashlib.file_digest(file, "sha256").hexdigest()[:16]}
    path = folder / f"{chosen.name}.{measured['answerer']}.{fingerprint(depends_on)}.jsonl"
    with open_records(path, StoredAnswer, depends_on) as kept:
        known = kept.records
        missing = [query for query in chosen.queries if not _is_answered(query, known)]
        if missing:  # nothing is indexed or loaded for a set that is complete
            with closing(open_for_queries(chosen, missing, answerer, work)) as opened:
                with progress(f"{chosen.name}, corpora to open", 1) as advance:
                    first = next(opened)
                    advance()
                with progress(f"{chosen.name}, questions", len(missing)) as advance:
                    for query, respondent in itertools.chain([first], opened):
                        kept.add(_reply(respondent, query))
                        advance()
        answers = tuple(known[query.query_id] for query in chosen.queries)
    return CorpusAnswers(answers, depends_on, path)


def _is_answered(query: Query, known: Mapping[str, StoredAnswer]) -> bool:
    found = known.get(query.query_id)
    return found is not None and found.asked == asked_hash(query)


def _reply(respondent: Respondent, query: Query) -> StoredAnswer:
    try:
        return respondent(query)
    except Exception:  # noqa: BLE001
        # An unexpected exception in one question is a finding of the run, not its end, and not a wrong answer either.
        text = traceback.format_exc()
        return StoredAnswer(id=query.query_id, asked=asked_hash(query), kind="crash", text=text)


def open_for_queries(
    chosen: CorpusQueries, queries: Sequence[Query], opener: CorpusOpener[Opened_co], work: Path
) -> Generator[tuple[Query, Opened_co], None, None]:
    """Yield each question with what is opened over its documents: once for all, or anew for its own passages.

    Raises:
        EvaluationError: The corpus lacks a passage of a question.
    """
    if not queries:
        return
    if not chosen.own_passages:
        with opener.open(chosen.corpus, work / chosen.name) as opened:
            yield from ((query, opened) for query in queries)
        return
    passages = {row["_id"]: row for row in read_rows(chosen.corpus)}
    for query in queries:
        lacking = [document_id for document_id in query.context_ids if document_id not in passages]
        if lacking or not query.context_ids:
            raise EvaluationError(f"The corpus lacks the passages {lacking} of question {query.query_id!r}.")
        with open_documents([passages[document_id] for document_id in query.context_ids], opener) as opened:
            yield query, opened


@contextmanager
def open_documents(rows: Sequence[Mapping[str, Any]], opener: CorpusOpener[Opened_co]) -> Iterator[Opened_co]:
    """Open something over a few documents, in an index that is gone afterwards."""
    with TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        corpus.write_text("".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows), encoding="utf-8")
        with opener.open(corpus, Path(folder) / "index") as opened:
            yield opened
