"""Looks through all documents for suspicious ones, in a thread, and keeps what it found until it is asked again.

Kept are places, no words: the file must not outlive what a deleted document said.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.suspicious import Suspicion
from index.document import Span
from index.errors import FootnoteError

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
