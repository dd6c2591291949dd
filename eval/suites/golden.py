"""A golden question: what is asked, and what makes an answer right. The format is frozen (docs/golden-suites.md)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StringConstraints

from bot.answer.conversation import Turn

# A question with this tag expects a friendly word, not a fact: it needs neither `expect` nor `evidence`.
SMALL_TALK = "small_talk"
# A question with this tag was made by `footnote eval new` and nobody has confirmed it yet.
DRAFT = "draft"

_Written = Annotated[str, StringConstraints(pattern=r"\S")]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class EarlierTurn(Turn):
    """One message before a follow-up. Unlike a caller's `Turn`, it takes no other keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    content: _Written


class Quote(_Frozen):
    """Words that must stand in a document."""

    document_id: _Written
    quote: _Written


class EvidenceItem(_Frozen):
    """One thing a right answer rests on, wherever it stands: any of the quotes will do."""

    any_of: tuple[Quote, ...] = Field(min_length=1)


class GoldenQuestion(_Frozen):
    """A question with what makes its answer right.

    Attributes:
        id: Unique in its suite.
        history: Earlier turns, for a follow-up.
        dialogue: Name of the dialogue that the question is a turn of, in the order of the file. A turn without a
            `history` of its own follows the turns before it with the answers that the chatbot gave.
        answerable: Whether the documents state the answer; if not, the right reply is a refusal.
        expect: Groups of phrases; every group must be met by one of its phrases.
        forbid: Phrases that make the answer wrong.
        evidence: Where the answer stands.
        max_words: Longest right answer in words, or None.
        tags: Names of the kinds of question it belongs to.
    """

    id: _Written
    question: _Written
    history: tuple[EarlierTurn, ...] = ()
    dialogue: _Written | None = None
    answerable: StrictBool = True
    expect: tuple[Annotated[tuple[_Written, ...], Field(min_length=1)], ...] = ()
    forbid: tuple[_Written, ...] = ()
    evidence: tuple[EvidenceItem, ...] = ()
    max_words: Annotated[StrictInt, Field(ge=1)] | None = None
    tags: tuple[_Written, ...] = ()


def contradictions(question: GoldenQuestion) -> Iterator[tuple[str, str]]:
    """Yield the key and the reason of everything in a question that cannot be meant together."""
    if not question.answerable:
        for key in ("expect", "evidence"):
            if getattr(question, key):
                yield key, f"an unanswerable question has no {key}: remove it, or set answerable: true"
    elif not (question.expect or question.evidence or question.forbid or SMALL_TALK in question.tags):
        yield (
            "question",
            "nothing says when its answer is right: add expect or evidence, set answerable: false, "
            f"or tag it {SMALL_TALK}",
        )
