"""Each draft against its sources, before anybody sees it. What does not stand there is dropped."""

from __future__ import annotations

from bot.answer import Citation, Statement, escape_markers
from bot.answerers import Draft
from index.document import Document, Span


class Footnotes:
    """Gives the places of one answer their numbers: the same place, the same number."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, Span], int] = {}

    def cite(self, document: Document, span: Span) -> Citation:
        """Return the citation of a place, numbered in order of first use."""
        number = self._numbers.setdefault((document.document_id, span), len(self._numbers) + 1)
        return to_citation(document, span, number)


def verify(draft: Draft, footnotes: Footnotes) -> tuple[Statement, tuple[Citation, ...]] | None:
    """Return the draft as a statement with its citations, or None when its sources do not say it.

    A quoted draft must be, word for word, the text of its places.
    """
    if draft.support != "quoted" or not draft.sources:
        return None
    if any(not span.of(document.text).strip() for document, span in draft.sources):
        return None
    quoted = " ".join(" ".join(span.of(document.text) for document, span in draft.sources).split())
    if escape_markers(quoted) != draft.text:
        return None
    citations = tuple(footnotes.cite(document, span) for document, span in draft.sources)
    numbers = tuple(citation.number for citation in citations)
    return Statement(text=draft.text, citations=numbers, support="quoted"), citations


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
