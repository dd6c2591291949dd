"""Answerers: who writes the statements of an answer. Each yields drafts; none is shown before it is verified."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from bot.answer.answer import Support, escape_markup
from index.document import Document, Span


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement before it is verified: its words, and the places it claims to stand on."""

    text: str
    sources: tuple[tuple[Document, Span], ...]
    support: Support


def quote(document: Document, span: Span) -> Draft:
    """Return the words at a place as a statement, white space folded and nothing in it markup."""
    return Draft(escape_markup(" ".join(span.of(document.text).split())), ((document, span),), "quoted")


class Documents(Protocol):
    """Where the whole text of a document can be looked up."""

    def document(self, document_id: str) -> Document | None:
        """Return a live document, or None."""
