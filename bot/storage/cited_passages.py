"""Whether the passage that an answer cites is still in its document, where, and what is there in its place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from bot.answer.answer import Citation
from index.document import Document, Span, hash_text

PassageState = Literal["unchanged", "moved", "changed", "gone"]
FindDocument = Callable[[str], Document | None]
"""Returns the live document with an id, or None."""

# Characters on either side of a passage that are hashed with it: enough to notice a new heading, condition or date.
_AROUND = 200
_LONGEST_SHOWN = 1_000
_SENTENCE_ENDS = ("\n", ". ", "。")


@dataclass(frozen=True, slots=True)
class CheckedPassage:
    """A cited passage compared with the document as it is now.

    Attributes:
        state: `moved` when the words are elsewhere in the document, `changed` when they are no longer in it, `gone`
            when the document is not there.
        span: Where the words are now; None where they are not.
    """

    citation: Citation
    state: PassageState
    span: Span | None


def check_passage(citation: Citation, document: Document | None) -> CheckedPassage:
    """Compare a cited passage with its document as it is now; None stands for a document that is gone."""
    if document is None:
        return CheckedPassage(citation, "gone", None)
    span = next(find_quote(citation, document), None)
    if span is None:
        return CheckedPassage(citation, "changed", None)
    return CheckedPassage(citation, "unchanged" if span == Span(citation.start, citation.end) else "moved", span)


def find_quote(citation: Citation, document: Document) -> Iterator[Span]:
    """Yield the places of the words of a citation in a document, its own place first."""
    own = Span(citation.start, citation.end)
    if own.of(document.text) == citation.quote:
        yield own
    start = document.text.find(citation.quote)
    while start >= 0:
        yield Span(start, start + len(citation.quote))
        start = document.text.find(citation.quote, start + 1)


def passage_hash(document: Document, span: Span) -> str:
    """Return the hash of the words at a place, of those before and of those after it."""
    before, after = max(0, span.start - _AROUND), span.end + _AROUND
    return hash_text(document.text[before : span.start], span.of(document.text), document.text[span.end : after])


def nearest_passage(quote: str, document: Document) -> str:
    """Return the sentences of a document that are most like a passage that is gone; empty where nothing is like it."""
    found = fuzz.partial_ratio_alignment(quote, document.text, score_cutoff=50)
    if found is None or not quote:
        return ""
    start = max(document.text.rfind(end, 0, found.dest_start) + len(end) for end in _SENTENCE_ENDS)
    ends = [document.text.find(end, max(found.dest_end - 1, 0)) for end in _SENTENCE_ENDS]
    end = min((place + 1 for place in ends if place >= 0), default=len(document.text))
    return document.text[start if start <= found.dest_start else 0 : end].strip()[:_LONGEST_SHOWN]
