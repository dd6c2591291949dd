"""Statements on their way into an answer: drafts before they are verified, footnotes, and what passed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from bot.answer.answer import Citation, Statement, Support, escape_markup
from index.document import Document, Span

DocumentPlace = tuple[Document, Span]
Introduction = Literal["another_place", "another_document", "newer_version", "older_version"]
"""The reply that introduces a statement which contradicts one before it."""


class Documents(Protocol):
    """Where the whole text of a document can be looked up."""

    def document(self, document_id: str) -> Document | None:
        """Return a live document, or None."""


@dataclass(frozen=True, slots=True)
class Draft:
    """A statement before it is verified: its words, and the places it claims to be taken from."""

    text: str
    sources: tuple[DocumentPlace, ...]
    support: Support


@dataclass(frozen=True, slots=True)
class Verified:
    """A statement that may be shown, with its citations.

    Attributes:
        outcome: Whether the draft passed as it was written, passed with other citations, or gave way to a quote.
        introduction: How it contradicts a statement before it; None for one that does not.
    """

    statement: Statement
    citations: tuple[Citation, ...]
    outcome: Literal["as_written", "repaired", "quoted"]
    introduction: Introduction | None = None


class Footnotes:
    """Gives the places of one answer their numbers: the same place, the same number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, Span], int] = {}

    def cite(self, document: Document, span: Span) -> Citation:
        """Return the citation of a place, numbered in order of first use."""
        number = self._numbers.setdefault((document.document_id, span), len(self._numbers) + 1)
        return to_citation(document, span, number)


def to_citation(document: Document, span: Span, number: int) -> Citation:
    """Return the footnote that opens a place."""
    return Citation(
        number=number,
        document_id=document.document_id,
        title=document.title,
        page=document.page_at(span.start),
        start=span.start,
        end=span.end,
        quote=span.of(document.text),
    )


def quote(document: Document, span: Span) -> Draft:
    """Return the words at a place as a draft, white space folded and nothing in it markup."""
    return Draft(escape_markup(" ".join(span.of(document.text).split())), ((document, span),), "quoted")
