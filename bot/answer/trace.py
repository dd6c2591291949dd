"""What each stage made of a question: for the record and for finding the stage that lost an answer."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.answer.answer import Answer
from index.document import RetrievedChunk, Span

# The id of a document, and a place in it.
Place = tuple[str, Span]


@dataclass(frozen=True, slots=True)
class Trace:
    """The stages of one answer; a stage that was not reached leaves its default.

    Attributes:
        standalone_question: The question with what it takes from the conversation, in the reader's language.
        searched_question: The same in the language of the documents: a translation where that is another language.
        retrieved: Places of the retrieved chunks, best first.
        selected: Places of the sentences that the judge was shown or that a quote would be made of.
        threshold: The confidence below which nothing is answered.
        drafts: What was written or quoted, before it was verified.
        dropped: The drafts that failed verification and are not shown.
        disagreements: How many of the statements contradict one before them.
    """

    standalone_question: str
    searched_question: str
    threshold: float
    retrieved: tuple[Place, ...] = ()
    selected: tuple[Place, ...] = ()
    drafts: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    disagreements: int = 0

    def understood_as(self, standalone_question: str) -> Trace:
        """Return the same with the question as it was understood."""
        return replace(self, standalone_question=standalone_question, searched_question=standalone_question)

    def with_retrieved(self, searched_question: str, chunks: Sequence[RetrievedChunk]) -> Trace:
        """Return the same with what was retrieved, and the question as it was searched."""
        places = tuple((one.chunk.document_id, one.chunk.span) for one in chunks)
        return replace(self, searched_question=searched_question, retrieved=places)

    def to_json(self) -> dict[str, Any]:
        """Return the stages as they are stored beside the answer; places are `[document_id, start, end]`."""
        return {
            "standalone_question": self.standalone_question,
            "searched_question": self.searched_question,
            "selected": [[document_id, span.start, span.end] for document_id, span in self.selected],
            "threshold": self.threshold,
            "drafts": list(self.drafts),
            "dropped": list(self.dropped),
            "disagreements": self.disagreements,
        }


@dataclass(frozen=True, slots=True)
class TracedAnswer:
    """An answer and how it came about."""

    answer: Answer
    trace: Trace
