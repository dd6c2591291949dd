"""Where golden evidence stands in what was cited, told from the words of both.

A report holds quotes, not documents, so places cannot be compared. Words can: a citation equals the stored text, and
so does a golden quote that was checked against the index.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.answer import Citation
from eval.golden import EvidenceItem, Quote
from eval.places import occurrences
from index.document import Span

# Shorter common ends than this are chance.
_SHORTEST_END = 8


@dataclass(frozen=True, slots=True)
class Piece:
    """A piece of a quote, and whether it is golden evidence."""

    text: str
    golden: bool


def mark_evidence(citation: Citation, items: Iterable[EvidenceItem]) -> tuple[Piece, ...]:
    """Return the quote of a citation in pieces, golden evidence told from the rest."""
    spans = [span for item in items for quote in item.any_of for span in _shared(citation, quote)]
    pieces, end = [], 0
    for span in sorted(spans, key=lambda span: (span.start, span.end)):
        start = max(span.start, end)
        if start >= span.end:
            continue
        pieces += [Piece(citation.quote[end:start], golden=False), Piece(citation.quote[start : span.end], golden=True)]
        end = span.end
    pieces.append(Piece(citation.quote[end:], golden=False))
    return tuple(piece for piece in pieces if piece.text)


def covering(citations: Sequence[Citation], quote: Quote) -> tuple[int, ...]:
    """Return the numbers of the citations that hold at least half of the characters of a golden quote."""
    needed = len(_collapse(quote.quote)[0])
    return tuple(
        citation.number
        for citation in citations
        if any(
            2 * len(_collapse(citation.quote[span.start : span.end])[0]) >= needed for span in _shared(citation, quote)
        )
    )


def _shared(citation: Citation, quote: Quote) -> tuple[Span, ...]:
    """Return the places in a cited quote where words of a golden quote stand."""
    if citation.document_id != quote.document_id:
        return ()
    cited, golden = citation.quote, quote.quote
    if whole := occurrences(cited, golden):
        return whole
    if occurrences(golden, cited):
        return (Span(0, len(cited)),)
    return _shared_end(cited, golden)


def _shared_end(cited: str, golden: str) -> tuple[Span, ...]:
    """Return where the cited quote begins in the midst of the golden one, or ends in it."""
    (text, offsets), (wanted, _) = _collapse(cited), _collapse(golden)
    for length in range(min(len(text), len(wanted)) - 1, _SHORTEST_END - 1, -1):
        if text.endswith(wanted[:length]):
            return (Span(offsets[-length], offsets[-1] + 1),)
        if text.startswith(wanted[-length:]):
            return (Span(offsets[0], offsets[length - 1] + 1),)
    return ()


def _collapse(text: str) -> tuple[str, list[int]]:
    """Return text with any white space as one space and none around it, and where each character comes from."""
    kept = [
        (" " if character.isspace() else character, offset)
        for offset, character in enumerate(text)
        if not character.isspace() or (offset and not text[offset - 1].isspace())
    ]
    if kept and kept[-1][0] == " ":
        kept.pop()
    return "".join(character for character, _ in kept), [offset for _, offset in kept]
