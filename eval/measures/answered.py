"""What a measure looks at: a golden question, the answer it got, and the places in documents that both point to."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol

import regex

from bot.answer.answer import Answer
from bot.answer.trace import Place
from eval.suites.golden import GoldenQuestion
from index.document import Span

# Gives the stored text of a document by its id, or None.
TextOf = Callable[[str], str | None]


@lru_cache(maxsize=4096)
def occurrences(text: str, quote: str) -> tuple[Span, ...]:
    """Return every place where a quote stands in a text, overlapping ones included.

    Any white space in the quote matches any white space in the text, so a line break in the source does no harm;
    everything else must be equal.
    """
    if not quote.strip():
        return ()
    # What `str.split` takes for white space includes four separators that `\s` of this module does not match.
    pattern = r"[\s\x1c-\x1f]+".join(map(regex.escape, quote.split()))
    return tuple(Span(*found.span()) for found in regex.finditer(pattern, text, overlapped=True))


class Scorable(Protocol):
    """What the measures look at that golden suites and public sets share."""

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        ...

    @property
    def refused(self) -> bool:
        """Whether there was no answer."""
        ...

    def first_ranks(self) -> list[float]:
        """Return the rank at which each relevant item was first retrieved, infinite where it was not."""
        ...

    def shown_quotes(self) -> list[tuple[str, str | None]]:
        """Return each quote that was shown, with the text that is stored at its place."""
        ...


@dataclass(frozen=True, slots=True)
class AnsweredQuestion:
    """A golden question and the answer that it got.

    Attributes:
        text_of: Gives the stored text of a document, or None.
    """

    question: GoldenQuestion
    answer: Answer
    text_of: TextOf

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return self.question.answerable

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
        found = (
            [
                (quote.document_id, span)
                for quote in item.any_of
                for span in occurrences(self.text_of(quote.document_id) or "", quote.quote)
            ]
            for item in self.question.evidence
        )
        return [places for places in found if places]

    def first_ranks(self) -> list[float]:
        """Return, for each evidence item, the rank of the first chunk that holds it, infinite when none does."""
        retrieved = self.retrieved()
        return [
            next((rank for rank, place in enumerate(retrieved, start=1) if covers(place, item)), math.inf)
            for item in self.evidence()
        ]

    def shown_quotes(self) -> list[tuple[str, str | None]]:
        """Return the quote of every footnote, with the stored text at its place.

        The passages that a refusal shows as nearest are footnotes too.
        """
        nearest = self.answer.refusal.nearest if self.answer.refusal else ()
        texts = [(one, self.text_of(one.document_id)) for one in (*self.answer.citations, *nearest)]
        return [(one.quote, None if text is None else text[one.start : one.end]) for one, text in texts]


def covers(place: Place, item: Sequence[Place]) -> bool:
    """Return whether a place holds at least half of the characters of one place of an evidence item."""
    document_id, span = place
    return any(document_id == wanted and 2 * span.overlap(quote) >= len(quote) for wanted, quote in item)


def touches(place: Place, item: Sequence[Place]) -> bool:
    """Return whether a place shares at least one character with one place of an evidence item."""
    document_id, span = place
    return any(document_id == wanted and span.overlap(quote) > 0 for wanted, quote in item)
