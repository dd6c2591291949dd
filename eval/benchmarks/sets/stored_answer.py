"""An answer as a benchmark keeps it, with all that any measure looks at, and what the answers of a chatbot depend on.

Answers of one version must never be taken for those of another, so files of answers are named by a fingerprint.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Any, Literal

from pydantic import Field

from bot.answer.answer import Answer, Citation, RetrievedEntry, SearchResult
from bot.settings import Settings
from eval.benchmarks.record_file import IdentifiedRecord
from eval.benchmarks.sets.public_set import Query
from eval.measures.answered import TextOf
from eval.report.json_file import Record
from index.document import hash_text

# Settings that say where things are, or who may use them, and change no answer.
_IRRELEVANT_SETTINGS = {"data_dir", "database_url", "documents", "host", "port"}
_SECRETS = ("_key", "_password", "_secret")
# Packages of the chatbot that no question of a benchmark passes through.
_IRRELEVANT_FOLDERS = frozenset({"web", "cli", "__pycache__"})


def describe_chatbot(settings: Settings, embedding_model: str) -> dict[str, Any]:
    """Return what the chatbot's answers depend on besides the documents and the question.

    The version alone does not change while somebody works on the code, so the code itself is hashed.
    """
    chosen = settings.model_dump(mode="json", exclude=_IRRELEVANT_SETTINGS)
    return {
        "answerer": settings.answerer,
        "version": version("footnote-chat"),
        "code": hash_files(files("bot"), files("index")),
        "prompts": hash_files(files("prompts")),
        "calibration": hash_files(files("bot.stages.judgement").joinpath("calibration.json")),
        "embedding_model": embedding_model,
        "settings": {name: value for name, value in chosen.items() if not name.endswith(_SECRETS)},
    }


def fingerprint(measured: Mapping[str, Any]) -> str:
    """Return a hash of what answers depend on."""
    return hashlib.sha256(json.dumps(measured, sort_keys=True).encode()).hexdigest()[:12]


def hash_files(*roots: Traversable) -> str:
    """Return a hash of the names and contents of files, those of folders included."""
    digest = hashlib.sha256()
    for name, file in sorted((pair for root in roots for pair in _files(root, root.name)), key=lambda pair: pair[0]):
        content = file.read_bytes()
        digest.update(f"{name}:{len(content)}:".encode())
        digest.update(content)
    return digest.hexdigest()[:16]


def _files(place: Traversable, name: str) -> Iterator[tuple[str, Traversable]]:
    if place.is_file():
        yield name, place
        return
    for entry in place.iterdir():
        if entry.name not in _IRRELEVANT_FOLDERS:
            yield from _files(entry, f"{name}/{entry.name}")


class StoredCitation(Record):
    """A footnote, and what the index held at its place when it was shown.

    Attributes:
        stored: Stored text at `start:end`, or None when there was no such document.
    """

    document_id: str
    start: int
    end: int
    quote: str
    stored: str | None


class StoredAnswer(IdentifiedRecord):
    """The reply to one question. Unlike an `Answer` it may lack footnotes and confidence: a baseline has neither.

    Attributes:
        id: The question's id.
        asked: Hash of the question with its history and passages, so that a question that changes is asked again.
        kind: As in `Answer`; `search` when nothing was to be answered; `crash` when an unexpected exception ended it.
        text: The answer with its markers, the message of a refusal, the question that was searched for, or the
            traceback of a crash.
        reason: Why it was refused.
        nearest: The passages that a refusal showed.
        retrieved: Document ids of the retrieved chunks, best first, one for each chunk.
        answerer: What answered, which is not what was asked when a model was down.
    """

    asked: str
    kind: Literal["answer", "refusal", "small_talk", "search", "crash"]
    text: str
    reason: str | None = None
    confidence: float | None = None
    citations: tuple[StoredCitation, ...] = ()
    nearest: tuple[StoredCitation, ...] = ()
    retrieved: tuple[str, ...] = ()
    timings_ms: dict[str, float] = Field(default_factory=dict)
    answerer: str = ""
    language_model: str | None = None


def asked_hash(query: Query) -> str:
    """Return a hash of the question with its history and passages."""
    turns = (f"{turn.role}:{turn.content}" for turn in query.history)
    return hash_text(query.question, *turns, "passages", *query.context_ids)[:12]


def store_answer(query: Query, answer: Answer, text_of: TextOf) -> StoredAnswer:
    """Return what is kept of an answer."""
    return StoredAnswer(
        id=query.query_id,
        asked=asked_hash(query),
        kind=answer.kind,
        text=answer.text,
        reason=answer.refusal.reason if answer.refusal else None,
        confidence=answer.confidence,
        citations=_cited(answer.citations, text_of),
        nearest=_cited(answer.refusal.nearest if answer.refusal else (), text_of),
        retrieved=_ranked(answer.retrieved),
        timings_ms=answer.timings_ms,
        answerer=answer.provenance.answerer,
        language_model=answer.provenance.language_model,
    )


def store_search(query: Query, found: SearchResult) -> StoredAnswer:
    """Return what is kept of a search without an answer."""
    return StoredAnswer(
        id=query.query_id,
        asked=asked_hash(query),
        kind="search",
        text=found.standalone_question,
        retrieved=_ranked(found.retrieved),
        timings_ms=found.timings_ms,
        answerer="search",
    )


def _ranked(retrieved: Sequence[RetrievedEntry]) -> tuple[str, ...]:
    return tuple(entry.document_id for entry in sorted(retrieved, key=lambda entry: entry.rank))


def _cited(citations: Sequence[Citation], text_of: TextOf) -> tuple[StoredCitation, ...]:
    return tuple(
        StoredCitation(
            document_id=citation.document_id,
            start=citation.start,
            end=citation.end,
            quote=citation.quote,
            stored=None if (text := text_of(citation.document_id)) is None else text[citation.start : citation.end],
        )
        for citation in citations
    )
