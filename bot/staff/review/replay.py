"""An answer then and now: what became of its statements, its citations and the documents behind them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from bot.answer.answer import Answer, Citation
from index.document import Document

Fate = Literal["unchanged", "moved", "changed", "gone"]


@dataclass(frozen=True, slots=True)
class Compared:
    """A statement or a quote, and whether the answer of then and the one of now have it."""

    text: str
    then: bool
    now: bool


@dataclass(frozen=True, slots=True)
class Source:
    """A passage that was cited then, and what became of it.

    Attributes:
        fate: `moved` when the words stand elsewhere in the document, `changed` when they are no longer in it, `gone`
            when the document is not there.
    """

    citation: Citation
    fate: Fate


@dataclass(frozen=True, slots=True)
class Replay:
    """The same question, asked twice.

    Attributes:
        statements: Of both, in the order of then; new ones last.
        quotes: The cited words of both.
        sources: The citations of then.
        same_index: Whether the index is in the same state.
    """

    then: Answer
    now: Answer
    statements: tuple[Compared, ...]
    quotes: tuple[Compared, ...]
    sources: tuple[Source, ...]
    same_index: bool

    @property
    def same(self) -> bool:
        """Whether both say the same and cite the same."""
        compared = (*self.statements, *self.quotes)
        return self.then.kind == self.now.kind and all(one.then and one.now for one in compared)


def compare(then: Answer, now: Answer, find: Callable[[str], Document | None]) -> Replay:
    """Return how two answers to a question differ.

    Args:
        then: As it was given.
        now: As it is given today.
        find: Returns a document by its id.
    """
    return Replay(
        then=then,
        now=now,
        statements=_compare([one.text for one in then.statements], [one.text for one in now.statements]),
        quotes=_compare([one.quote for one in then.citations], [one.quote for one in now.citations]),
        sources=tuple(Source(one, fate_of(one, find(one.document_id))) for one in then.citations),
        same_index=then.provenance.index_fingerprint == now.provenance.index_fingerprint,
    )


def fate_of(citation: Citation, document: Document | None) -> Fate:
    """Return what became of a cited passage in the document as it is now."""
    if document is None:
        return "gone"
    if document.text[citation.start : citation.end] == citation.quote:
        return "unchanged"
    return "moved" if citation.quote in document.text else "changed"


def _compare(then: list[str], now: list[str]) -> tuple[Compared, ...]:
    return tuple(Compared(text, text in then, text in now) for text in dict.fromkeys([*then, *now]))
