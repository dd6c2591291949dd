"""A passage that a person has picked in a document, with its exact place there."""

from __future__ import annotations

from dataclasses import dataclass

from bot.errors import ReviewError
from index.document import Document, Span

LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Passage:
    """A place in a document and the words there, as they were when it was picked."""

    document_id: str
    span: Span
    quote: str


def pick(document: Document, span: Span) -> Passage:
    """Return the passage at a place, without the white space around it.

    Raises:
        ReviewError: There are no words at the place, or far too many.
    """
    words = span.of(document.text)
    quote = words.strip()
    if not quote:
        raise ReviewError("Nothing was picked: select the words in the document that answer the question.")
    if len(quote) > LONGEST:
        raise ReviewError(f"A passage of {len(quote)} characters shows no one where to look: pick up to {LONGEST}.")
    start = span.start + words.index(quote)
    return Passage(document.document_id, Span(start, start + len(quote)), quote)
