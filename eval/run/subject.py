"""What the evaluation needs of a chatbot: three methods. Tests inject a small fake of the same shape."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from bot.answer.answer import Answer
from bot.answer.conversation import Turn
from index.document import Document


class DocumentSummary(Protocol):
    """A document in the overview."""

    @property
    def document_id(self) -> str:
        """Name of the document."""
        ...

    @property
    def content_hash(self) -> str:
        """Hash of what is stored of it."""
        ...


class Overview(Protocol):
    """What the index holds."""

    @property
    def documents(self) -> Sequence[DocumentSummary]:
        """Every document in the index."""
        ...

    @property
    def fingerprint(self) -> str:
        """Hash of all that is indexed."""
        ...


class Subject(Protocol):
    """The chatbot that is evaluated."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, question_id: str | None = None) -> Answer:
        """Return the answer to a question."""
        ...

    def document(self, document_id: str) -> Document | None:
        """Return a stored document, or None."""
        ...

    def overview(self) -> Overview:
        """Return what the index holds."""
        ...
