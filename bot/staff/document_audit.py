"""Documents that staff should look at: those that contradict others, and those that tell the bot what to do.

Who is right cannot be told from here: a poisoned document stands beside what it contradicts, each with its place. To be
run for staff and not for a reader, because every passage is compared with its nearest.

Looks through all documents for suspicious ones, in a thread, and keeps what it found until it is asked again.

Kept are places, no words: the file must not outlive what a deleted document said.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.stages.checking.contradiction import find_contradiction
from bot.stages.evidence.ranking import forbids_answers
from index.document import Chunk, MarkKind, Span
from index.errors import FootnoteError
from index.relations.precedence import Precedence
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue

# Passages of other documents that each is compared with.
_NEIGHBOURS = 6


@dataclass(frozen=True, slots=True)
class Contested:
    """A sentence of a document, and one of another that says otherwise."""

    span: Span
    text: str
    other_id: str
    other_span: Span
    otherwise: str


@dataclass(frozen=True, slots=True)
class Suspicion:
    """Why a document is suspicious.

    Attributes:
        contested: What others say otherwise; other versions of the same document are not counted.
        blocking: Places of the sentences that forbid an answer.
        planted: Words in it that address a machine, as marked when it was read; they are in no answer.
    """

    document_id: str
    contested: tuple[Contested, ...]
    blocking: tuple[Span, ...]
    planted: tuple[str, ...]

    def contradicts(self) -> frozenset[str]:
        """Return the ids of the documents that it contradicts."""
        return frozenset(one.other_id for one in self.contested)


def suspicious_documents(
    catalogue: Catalogue, retriever: Retriever, stop: threading.Event | None = None
) -> list[Suspicion]:
    """Return the documents that contradict others, forbid answers or address a machine; the last two kinds first.

    Args:
        catalogue: The documents.
        retriever: Finds what stands near a passage.
        stop: When it is set, the search ends with what it has found.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
        IndexingError: The index is damaged.
    """
    precedence = Precedence(catalogue.relations(), ())
    contested: dict[str, dict[Contested, None]] = defaultdict(dict)
    blocking: dict[str, dict[Span, None]] = defaultdict(dict)
    planted: dict[str, tuple[str, ...]] = {}
    for summary in catalogue.summaries():
        if words := _planted(catalogue, summary.document_id):
            planted[summary.document_id] = words
        for chunk in catalogue.chunks_of(summary.document_id):
            if stop is not None and stop.is_set():
                break
            for span, text in _sentences(chunk):
                if forbids_answers(text):
                    blocking[chunk.document_id][span] = None
            for other in retriever.nearest(chunk, _NEIGHBOURS):
                if not precedence.compare_versions(chunk.document_id, other.document_id):
                    for one in _contradictions(chunk, other):
                        contested[chunk.document_id][one] = None
    found = [
        Suspicion(one, tuple(contested[one]), tuple(blocking[one]), planted.get(one, ()))
        for one in {**contested, **blocking, **planted}
    ]
    return sorted(found, key=lambda one: (not one.blocking, not one.planted, -len(one.contradicts()), one.document_id))


def _planted(catalogue: Catalogue, document_id: str) -> tuple[str, ...]:
    document = catalogue.document(document_id)
    marks = document.marks if document else ()
    return tuple(mark.excerpt for mark in marks if mark.kind is MarkKind.PLANTED_INSTRUCTION)


def _contradictions(chunk: Chunk, other: Chunk) -> Iterator[Contested]:
    for span, text in _sentences(chunk):
        for other_span, otherwise in _sentences(other):
            if find_contradiction(text, otherwise, "", (chunk.title, other.title)):
                yield Contested(span, text, other.document_id, other_span, otherwise)


def _sentences(chunk: Chunk) -> Iterator[tuple[Span, str]]:
    for span in chunk.sentences:
        yield span, chunk.sentence_text(span)


_PLACES = 20  # of one document; whoever has seen so many has seen enough

logger = logging.getLogger(__name__)


class SuspiciousPlaces(BaseModel):
    """Why a document is suspicious, as places.

    Attributes:
        contested: A place in it, and the id and place of what says otherwise.
        blocking: Places of sentences that forbid an answer.
        planted: How many places address a machine.
    """

    model_config = ConfigDict(frozen=True)

    document_id: str
    contested: tuple[tuple[Span, str, Span], ...]
    blocking: tuple[Span, ...]
    planted: int


class Looked(BaseModel):
    """What was found, in which state of the index."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    at: datetime
    documents: tuple[SuspiciousPlaces, ...]


class SuspicionSearch:
    """One search at a time, of one index.

    Args:
        find: Returns the suspicious documents; slow. It is given what says that it should stop.
        fingerprint: Returns which state of the index there is.
        path: Where what was found is kept.
    """

    def __init__(
        self,
        find: Callable[[threading.Event], list[Suspicion]],
        fingerprint: Callable[[], str],
        path: Path,
    ) -> None:
        self._find = find
        self._fingerprint = fingerprint
        self._path = path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._found: Looked | None = None
        self.fault = ""

    @property
    def running(self) -> bool:
        """Whether it is looking."""
        return self._thread is not None and self._thread.is_alive()

    def found(self) -> Looked | None:
        """Return what the last search found; None before the first."""
        if self._found is None and self._path.is_file():
            try:
                self._found = Looked.model_validate_json(self._path.read_bytes())
            except (OSError, ValidationError):
                return None  # from another version, or cut short: it is looked for again
        return self._found

    def start(self) -> None:
        """Begin, unless it is looking already."""
        if not self.running:
            self._thread = threading.Thread(target=self._run, name="suspicions", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """End the search that is going on."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        self.fault = ""
        try:
            fingerprint = self._fingerprint()
            documents = tuple(_to_places(one) for one in self._find(self._stop))
            if self._stop.is_set():
                return
            self._found = Looked(fingerprint=fingerprint, at=datetime.now(UTC), documents=documents)
            self._path.write_text(self._found.model_dump_json(), "utf-8")
        except OSError as error:
            logger.warning("what was found of suspicious documents is not kept: %s", error.strerror)
        except (FootnoteError, SQLAlchemyError) as error:
            self.fault = str(error).splitlines()[0]


def _to_places(one: Suspicion) -> SuspiciousPlaces:
    contested = tuple((place.span, place.other_id, place.other_span) for place in one.contested[:_PLACES])
    return SuspiciousPlaces(
        document_id=one.document_id,
        contested=contested,
        blocking=one.blocking[:_PLACES],
        planted=len(one.planted),
    )
