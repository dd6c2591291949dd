"""A question as it was understood."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Understanding:
    """A question and what it takes from the conversation.

    Attributes:
        question: As asked, cleaned.
        standalone_question: With what it takes from the conversation filled in; equal to `question` when nothing is.
        context: The earlier question that it refers to, or empty.
    """

    question: str
    standalone_question: str
    context: str = ""

    @property
    def wordings(self) -> tuple[str, ...]:
        """Return what to search with: never the filled-in question alone."""
        return tuple(dict.fromkeys((self.standalone_question, self.question)))
