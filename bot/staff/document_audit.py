"""Looks through the documents for those that contradict others, forbid answers, or address a machine.

Which of two documents is right cannot be told, so staff see both places. The audit compares every passage with its
nearest, which is too slow for a reader's question: it runs in a thread, and its report is kept until the next.
"""

from __future__ import annotations

import logging
import threading
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.stages.checking.contradiction import find_contradiction
from bot.stages.evidence.ranking import forbids_answers
from bot.storage.library import Library
from index.document import Chunk, MarkKind, Span
from index.errors import FootnoteError
from index.relations.precedence import Precedence
from index.search.retriever import Retriever
from index.store.catalogue import Catalogue

logger = logging.getLogger(__name__)

_NEIGHBOURS = 6  # passages of other documents that each passage is compared with
_PLACES = 20  # shown of one document


class SuspiciousDocument(BaseModel):
    """Why a document is suspicious, as places: the report must not outlive the words of a deleted document.

    Attributes:
        contested: A place in it, and the id and place of what contradicts it; other versions of the same document are
            not compared.
        blocking: Places of sentences that forbid an answer.
        planted: How many places address a machine; no answer uses them.
    """

    model_config = ConfigDict(frozen=True)

    document_id: str
    contested: tuple[tuple[Span, str, Span], ...]
    blocking: tuple[Span, ...]
    planted: int


class AuditReport(BaseModel):
    """The suspicious documents of one state of the index."""

    model_config = ConfigDict(frozen=True)

    fingerprint: str
    at: datetime
    documents: tuple[SuspiciousDocument, ...]


def suspicious_documents(
    catalogue: Catalogue, retriever: Retriever, stop: threading.Event | None = None
) -> list[SuspiciousDocument]:
    """Return the documents that contradict others, forbid answers or address a machine; the last two kinds first.

    Args:
        catalogue: The documents.
        retriever: Finds the nearest passages of a passage.
        stop: When it is set, the search ends with what it has found.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
        IndexingError: The index is damaged.
    """
    precedence = Precedence(catalogue.relations(), ())
    contested: dict[str, dict[tuple[Span, str, Span], None]] = defaultdict(dict)
    blocking: dict[str, dict[Span, None]] = defaultdict(dict)
    planted: dict[str, int] = {}
    for summary in catalogue.summaries():
        document = catalogue.document(summary.document_id)
        marks = document.marks if document else ()
        if count := sum(mark.kind is MarkKind.PLANTED_INSTRUCTION for mark in marks):
            planted[summary.document_id] = count
        for chunk in catalogue.chunks_of(summary.document_id):
            if stop is not None and stop.is_set():
                break
            for span in chunk.sentences:
                if forbids_answers(chunk.sentence_text(span)):
                    blocking[chunk.document_id][span] = None
            for other in retriever.nearest(chunk, _NEIGHBOURS):
                if not precedence.compare_versions(chunk.document_id, other.document_id):
                    contested[chunk.document_id].update(dict.fromkeys(_contradictions(chunk, other)))
    found = []
    for document_id in {**contested, **blocking, **planted}:
        places, blocks, count = contested[document_id], blocking[document_id], planted.get(document_id, 0)
        if places or blocks or count:
            others = len({other_id for _, other_id, _ in places})
            shown = SuspiciousDocument(
                document_id=document_id,
                contested=tuple(places)[:_PLACES],
                blocking=tuple(blocks)[:_PLACES],
                planted=count,
            )
            found.append((not blocks, not count, -others, document_id, shown))
    return [shown for *_, shown in sorted(found, key=lambda one: one[:4])]


def _contradictions(chunk: Chunk, other: Chunk) -> Iterator[tuple[Span, str, Span]]:
    for span in chunk.sentences:
        for other_span in other.sentences:
            texts = chunk.sentence_text(span), other.sentence_text(other_span)
            if find_contradiction(*texts, "", (chunk.title, other.title)):
                yield span, other.document_id, other_span


class DocumentAudit:
    """Runs one audit at a time, of one index.

    Args:
        library: The documents.
        path: File of the last report.
    """

    def __init__(self, library: Library, path: Path) -> None:
        self._library = library
        self._path = path
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._report: AuditReport | None = None
        self.fault = ""

    @property
    def running(self) -> bool:
        """Whether an audit is running."""
        return self._thread is not None and self._thread.is_alive()

    def report(self) -> AuditReport | None:
        """Return the report of the last audit; None before the first."""
        if self._report is None and self._path.is_file():
            try:
                self._report = AuditReport.model_validate_json(self._path.read_bytes())
            except (OSError, ValidationError):
                return None  # written by another version, or incomplete: the next audit replaces it
        return self._report

    def start(self) -> None:
        """Start an audit, unless one is running."""
        if not self.running:
            self._thread = threading.Thread(target=self._run, name="document-audit", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Stop the audit that is running."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        self.fault = ""
        try:
            fingerprint = self._library.overview().fingerprint
            documents = tuple(suspicious_documents(self._library.catalogue, self._library.retriever, self._stop))
            if self._stop.is_set():
                return
            self._report = AuditReport(fingerprint=fingerprint, at=datetime.now(UTC), documents=documents)
            self._path.write_text(self._report.model_dump_json(), "utf-8")
        except OSError as error:
            logger.warning("the report on suspicious documents is not kept: %s", error.strerror)
        except (FootnoteError, SQLAlchemyError) as error:
            self.fault = str(error).splitlines()[0]
