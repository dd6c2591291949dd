"""What a measure looks at: a golden question, the answer it got, and the texts both point into."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.answer import Answer
from eval.golden import EvidenceItem, GoldenQuestion
from eval.places import TextOf, occurrences
from index.document import Span

# A document and a place in it.
Place = tuple[str, Span]


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that was asked.

    Attributes:
        text_of: Gives the stored text of a document, or None.
    """

    question: GoldenQuestion
    answer: Answer
    text_of: TextOf

    @property
    def refused(self) -> bool:
        """Whether there was no answer. Small talk is not a refusal."""
        return self.answer.kind == "refusal"

    def cited(self) -> list[Place]:
        """Return the places that the answer cites."""
        return [(citation.document_id, Span(citation.start, citation.end)) for citation in self.answer.citations]

    def retrieved(self) -> list[Place]:
        """Return the places of the retrieved chunks, best first."""
        ranked = sorted(self.answer.retrieved, key=lambda entry: entry.rank)
        return [(entry.document_id, Span(entry.start, entry.end)) for entry in ranked]

    def evidence(self) -> list[list[Place]]:
        """Return, for each evidence item, every place where one of its quotes stands.

        An item that stands nowhere is left out: nothing can be measured against it (a run on changed documents).
        """
        return [places for item in self.question.evidence if (places := self._places(item))]

    def _places(self, item: EvidenceItem) -> list[Place]:
        return [
            (quote.document_id, span)
            for quote in item.any_of
            for span in occurrences(self.text_of(quote.document_id) or "", quote.quote)
        ]


def covers(place: Place, item: Sequence[Place]) -> bool:
    """Return whether a place holds at least half of the characters of one place of an evidence item."""
    document_id, span = place
    return any(document_id == wanted and 2 * span.overlap(quote) >= len(quote) for wanted, quote in item)


def touches(place: Place, item: Sequence[Place]) -> bool:
    """Return whether a place shares at least one character with one place of an evidence item."""
    document_id, span = place
    return any(document_id == wanted and span.overlap(quote) > 0 for wanted, quote in item)
