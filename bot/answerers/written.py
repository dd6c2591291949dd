"""Drafts from what a language model wrote: each sentence with the places it claims to stand on."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bot.answer import escape_markup
from bot.answerers import Documents, Draft, quote
from bot.deliberate import Deliberation
from bot.excerpts import Excerpt
from index.document import Document, Span


def write_drafts(deliberation: Deliberation, documents: Documents) -> Iterator[Draft]:
    """Yield the written sentences as drafts that have yet to be verified, and quotes where the model only pointed."""
    for one in deliberation.written:
        if one.text:
            yield Draft(escape_markup(one.text), places_of(one.excerpts, documents), "supported")
            continue
        for document, span in places_of(one.excerpts, documents):
            yield quote(document, span)


def places_of(excerpts: Sequence[Excerpt], documents: Documents) -> tuple[tuple[Document, Span], ...]:
    """Return the excerpts as places in their documents; those that are gone are left out."""
    found = ((documents.document(excerpt.document_id), excerpt) for excerpt in excerpts)
    return tuple(
        (document, excerpt.span)
        for document, excerpt in found
        if document is not None and " ".join(excerpt.span.of(document.text).split()) == excerpt.text
    )
