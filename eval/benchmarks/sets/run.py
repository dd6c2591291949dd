"""Chooses who is asked, by name.

Asks every question that has no stored answer yet.
"""

from __future__ import annotations

import functools
import json
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Protocol, TypeVar

from bot.build import build_chatbot
from bot.language_model.build import build_language_model
from bot.settings import Settings
from eval.benchmarks.dataset import Query
from eval.benchmarks.sets.answers import (
    AnswerFile,
    Measured,
    StoredAnswer,
    answers_path,
    asked_hash,
    hash_corpus,
    open_answers,
)
from eval.benchmarks.sets.respondent import ChatbotOpener, Opener, Respondent
from eval.benchmarks.sets.sets import BenchmarkSet, Collection
from eval.benchmarks.sets.starter import open_starter
from eval.errors import EvaluationError
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


# Called with a title and how many steps there are; gives a function that is called after each.
Progress = Callable[[str, int], AbstractContextManager[Callable[[], None]]]


Opened_co = TypeVar("Opened_co", covariant=True)


class Opens(Protocol[Opened_co]):
    """Opens something over a corpus whose index is kept in a folder."""

    def open(self, corpus: Path, data_dir: Path) -> AbstractContextManager[Opened_co]:
        """Return it; leaving the context closes it."""
        ...


@dataclass(frozen=True, slots=True)
class Answered:
    """A collection's answers, in the order of its questions.

    Attributes:
        measured: What they depend on.
        path: The file that keeps them.
    """

    answers: tuple[StoredAnswer, ...]
    measured: dict[str, Any]
    path: Path


def answer_set(chosen: BenchmarkSet, opener: Opener, work: Path, progress: Progress) -> list[Answered]:
    """Return the answers to a set, asking only what has not been asked; indexes and answers are kept below `work`."""
    folder = work / "answers" / chosen.name.replace("/", "-")
    # Only the form that is not the usual one is named, so that answers from before there were two are still found.
    form = {} if chosen.query == "history" else {"query": chosen.query}
    measured = {**opener.measured(), **form}
    return [
        _answer_collection(collection, opener, measured, work, folder, progress) for collection in chosen.collections
    ]


def _answer_collection(
    collection: Collection, opener: Opener, measured: Measured, work: Path, folder: Path, progress: Progress
) -> Answered:
    measured = {**measured, "corpus": hash_corpus(collection.corpus)}
    path = answers_path(folder, collection.name, measured)
    with open_answers(path, measured) as answers:
        missing = answers.missing(collection.queries)
        if missing:  # nothing is indexed or loaded for a set that is complete
            _ask(collection, missing, opener, work, answers, progress)
        kept = tuple(found for query in collection.queries if (found := answers.answer_to(query)) is not None)
    return Answered(kept, measured, path)


def _ask(
    collection: Collection,
    missing: Sequence[Query],
    opener: Opener,
    work: Path,
    answers: AnswerFile,
    progress: Progress,
) -> None:
    if collection.own_passages:
        passages = read_passages(collection.corpus)
        with progress(f"{collection.name}, questions", len(missing)) as advance:
            for query in missing:
                with open_passages(query, passages, opener) as respondent:
                    answers.add(_reply(respondent, query))
                advance()
        return
    with ExitStack() as stack:
        with progress(f"{collection.name}, corpora to open", 1) as advance:
            respondent = stack.enter_context(opener.open(collection.corpus, work / collection.name))
            advance()
        with progress(f"{collection.name}, questions", len(missing)) as advance:
            for query in missing:
                answers.add(_reply(respondent, query))
                advance()


def _reply(respondent: Respondent, query: Query) -> StoredAnswer:
    try:
        return respondent(query)
    except Exception:  # noqa: BLE001
        # Whatever goes wrong in one question is a finding of the run, not its end; and it is no wrong answer either.
        text = traceback.format_exc()
        return StoredAnswer(id=query.query_id, asked=asked_hash(query), kind="crash", text=text)


def read_passages(corpus: Path) -> dict[str, str]:
    """Return the lines of a corpus by document id."""
    with corpus.open(encoding="utf-8") as file:
        return {json.loads(line)["_id"]: f"{line.strip()}\n" for line in file if line.strip()}


@contextmanager
def open_passages(query: Query, passages: dict[str, str], opener: Opens[Opened_co]) -> Iterator[Opened_co]:
    """Open whoever is asked over the passages of one question, in an index that is gone afterwards.

    Raises:
        EvaluationError: The corpus lacks one of them.
    """
    lacking = [document_id for document_id in query.context_ids if document_id not in passages]
    if lacking or not query.context_ids:
        raise EvaluationError(f"The corpus lacks the passages {lacking} of question {query.query_id!r}.")
    with TemporaryDirectory() as folder:
        corpus = Path(folder) / "corpus.jsonl"
        corpus.write_text("".join(passages[document_id] for document_id in query.context_ids), encoding="utf-8")
        with opener.open(corpus, Path(folder) / "index") as opened:
            yield opened
