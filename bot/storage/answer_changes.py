"""What has changed since an answer was given: its passages in the documents, and the answer of today."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from rapidfuzz import fuzz

from bot.answer.answer import Answer, Citation
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


@dataclass(frozen=True, slots=True)
class ComparedText:
    """A statement or a quote, and whether the earlier answer and the one of today have it."""

    text: str
    then: bool
    now: bool


@dataclass(frozen=True, slots=True)
class Replay:
    """Two answers to the same question, given at different times.

    Attributes:
        statements: Those of both, in the order of the earlier answer; new ones last.
        quotes: The cited words of both.
        sources: The citations of the earlier answer, compared with the documents as they are now.
        same_index: Whether the index is in the same state.
    """

    then: Answer
    now: Answer
    statements: tuple[ComparedText, ...]
    quotes: tuple[ComparedText, ...]
    sources: tuple[CheckedPassage, ...]
    same_index: bool

    @property
    def same(self) -> bool:
        """Whether both say the same and cite the same."""
        compared = (*self.statements, *self.quotes)
        return self.then.kind == self.now.kind and all(one.then and one.now for one in compared)


def compare_answers(then: Answer, now: Answer, find_document: FindDocument) -> Replay:
    """Return how two answers to a question differ.

    Args:
        then: As it was given.
        now: As it is given today.
        find_document: Returns a document by its id.
    """
    return Replay(
        then=then,
        now=now,
        statements=_compare([one.text for one in then.statements], [one.text for one in now.statements]),
        quotes=_compare([one.quote for one in then.citations], [one.quote for one in now.citations]),
        sources=tuple(check_passage(one, find_document(one.document_id)) for one in then.citations),
        same_index=then.provenance.index_fingerprint == now.provenance.index_fingerprint,
    )


def _compare(then: list[str], now: list[str]) -> tuple[ComparedText, ...]:
    return tuple(ComparedText(text, text in then, text in now) for text in dict.fromkeys([*then, *now]))
