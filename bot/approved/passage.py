"""Whether the passage under an approved answer still stands: its words and those around it, wherever they moved to."""

from __future__ import annotations

from collections.abc import Iterator

from rapidfuzz import fuzz

from bot.answer import Citation
from bot.verify import to_citation
from index.document import Document, Span, hash_text

# Characters on either side: enough for a heading, a condition or a date before it to count.
_AROUND = 200
_LONGEST_SHOWN = 1_000


def passage_hash(document: Document, span: Span) -> str:
    """Return the hash of what stands at a place, with what stands before and after it."""
    before, after = max(0, span.start - _AROUND), span.end + _AROUND
    return hash_text(document.text[before : span.start], span.of(document.text), document.text[span.end : after])


def relocate(citation: Citation, expected: str, document: Document) -> Citation | None:
    """Return a citation with the place where its passage stands now, or None where it does not.

    Args:
        citation: As it was approved.
        expected: Hash of the passage (`passage_hash`).
        document: As it is now.
    """
    for span in _places_of(citation, document.text):
        if passage_hash(document, span) == expected:
            return to_citation(document, span, citation.number)
    return None


def nearest_passage(quote: str, document: Document) -> str:
    """Return what in a document is most like a passage that is gone; empty where nothing is."""
    found = fuzz.partial_ratio_alignment(quote, document.text, score_cutoff=50)
    if found is None or not quote:
        return ""
    # Out to whole lines or sentences: half a word tells nobody what changed.
    start = max(document.text.rfind(end, 0, found.dest_start) + len(end) for end in ("\n", ". ", "。"))
    ends = [document.text.find(end, max(found.dest_end - 1, 0)) for end in ("\n", ". ", "。")]
    end = min((place + 1 for place in ends if place >= 0), default=len(document.text))
    return document.text[start if start <= found.dest_start else 0 : end].strip()[:_LONGEST_SHOWN]


def _places_of(citation: Citation, text: str) -> Iterator[Span]:
    """Yield the places where the words of a citation stand, its own place first."""
    length = len(citation.quote)
    if text[citation.start : citation.end] == citation.quote:
        yield Span(citation.start, citation.end)
    start = text.find(citation.quote)
    while start >= 0:
        yield Span(start, start + length)
        start = text.find(citation.quote, start + 1)
