"""What became of a question at each stage: for those who ask where an answer was lost."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.answer.answer import Answer
from index.document import Span

# A document and a place in it.
Place = tuple[str, Span]


@dataclass(frozen=True, slots=True)
class Trail:
    """The stages of one answer.

    Attributes:
        standalone_question: What the question was understood as, in the language of the documents.
        retrieved: Places of the retrieved chunks, best first.
        selected: Places of the sentences that the judge was shown or that a quote would be made of.
        threshold: The confidence below which nothing is answered.
        drafts: What was written or quoted, before it was verified; empty where nothing was.
        dropped: The drafts that failed verification and are not shown.
        disagreements: How many statements say what another source says otherwise.
        answer: What the reader got.
    """

    standalone_question: str
    retrieved: tuple[Place, ...]
    selected: tuple[Place, ...]
    threshold: float
    drafts: tuple[str, ...]
    dropped: tuple[str, ...]
    disagreements: int
    answer: Answer

    def to_json(self) -> dict[str, Any]:
        """Return the stages without the answer, as they are kept beside it; places are `[document_id, start, end]`."""
        return {
            "standalone_question": self.standalone_question,
            "selected": [[document_id, span.start, span.end] for document_id, span in self.selected],
            "threshold": self.threshold,
            "drafts": list(self.drafts),
            "dropped": list(self.dropped),
            "disagreements": self.disagreements,
        }
