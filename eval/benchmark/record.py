"""An answer as a benchmark keeps it: all that any measure looks at, so that nothing has to be asked again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict

from bot.answer import Answer, Citation, RetrievedEntry
from bot.search_result import SearchResult
from eval.dataset import Query
from eval.places import TextOf
from index.document import hash_text


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class StoredCitation(_Frozen):
    """A footnote, and what the index held at its place when it was shown.

    Attributes:
        stored: Stored text at `start:end`, or None when there was no such document.
    """

    document_id: str
    start: int
    end: int
    quote: str
    stored: str | None


class StoredAnswer(_Frozen):
    """What became of one question. Unlike an `Answer` it may lack footnotes and confidence: a baseline has neither.

    Attributes:
        id: The question's id.
        asked: Hash of the question with its history and passages, so that a question that changes is asked again.
        kind: As in `Answer`; `search` when nothing was to be answered; `crash` when an unexpected exception ended it.
        text: The answer with its markers, the message of a refusal, the question that was searched for, or the
            traceback of a crash.
        reason: Why it was refused.
        nearest: The passages that a refusal showed.
        retrieved: Document ids of the retrieved chunks, best first, one for each chunk.
        answerer: Who answered, which is not who was asked when a model was down.
    """

    id: str
    asked: str
    kind: Literal["answer", "refusal", "small_talk", "search", "crash"]
    text: str
    reason: str | None = None
    confidence: float | None = None
    citations: tuple[StoredCitation, ...] = ()
    nearest: tuple[StoredCitation, ...] = ()
    retrieved: tuple[str, ...] = ()
    timings_ms: dict[str, float] = {}
    answerer: str = ""
    language_model: str | None = None

    @property
    def refused(self) -> bool:
        """Whether there was no answer. Small talk is not a refusal, nor is a crash."""
        return self.kind == "refusal"


def asked_hash(query: Query) -> str:
    """Return a hash of all that is asked."""
    turns = (f"{turn.role}:{turn.content}" for turn in query.history)
    return hash_text(query.question, *turns, "passages", *query.context_ids)[:12]


def store(query: Query, answer: Answer, text_of: TextOf) -> StoredAnswer:
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
