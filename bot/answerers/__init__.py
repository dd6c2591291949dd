"""Answerers: who writes the statements of an answer, behind one protocol."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from bot.answer import Support
from bot.condense import Understanding
from bot.judge import Judged
from index.document import Document, Span


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement before it is verified: its words, and the places it claims to stand on."""

    text: str
    sources: tuple[tuple[Document, Span], ...]
    support: Support


class Documents(Protocol):
    """Where the whole text of a document can be looked up."""

    def document(self, document_id: str) -> Document | None:
        """Return a live document, or None."""


class Answerer(Protocol):
    """Writes an answer from evidence that was judged to hold it."""

    name: str
    language_model: str | None

    def compose(
        self, understanding: Understanding, evidence: Sequence[Judged], documents: Documents
    ) -> Iterator[Draft]:
        """Yield the statements of the answer in reading order, each from named places."""
