"""An answer that was given compared with the answer to the same question today."""

from __future__ import annotations

from dataclasses import dataclass

from bot.answer.answer import Answer
from bot.storage.cited_passages import CheckedPassage, FindDocument, check_passage


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
