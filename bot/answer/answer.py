"""The Answer object: what every face of the product shows. Frozen, checked, no input or output of its own.

What `footnote search` prints.
"""

from __future__ import annotations

import datetime
import re
from typing import Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

AnswerKind = Literal["answer", "refusal", "small_talk"]
Support = Literal["quoted", "supported"]
RefusalReason = Literal[
    "no_relevant_passage",
    "not_in_documents",
    "false_premise",
    "needs_clarification",
    "empty_index",
    "too_long",
    "unavailable",
]

_MARKER = re.compile(r"\[(\d+)\]")
# Where a picture, a link or its definition, or a tag begins: "![", "](", "][", "]:", "<a", "</", "<!".
_MARKUP = re.compile(r"!\[|\](?=[(\[:])|<(?=[A-Za-z/!?])")
_FULL_WIDTH = str.maketrans("[]<", "［］＜")


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Citation(_Frozen):
    """A footnote: its number and the exact place it opens.

    `quote` equals the stored document text at `start:end` (characters, half-open).
    """

    number: int = Field(ge=1)
    document_id: str
    title: str
    page: int | None
    start: int = Field(ge=0)
    end: int
    quote: str

    @model_validator(mode="after")
    def _check_length(self) -> Self:
        if self.end - self.start != len(self.quote):
            raise ValueError(
                f"citation {self.number} spans {self.start}:{self.end} but quotes {len(self.quote)} characters"
            )
        return self


class Statement(_Frozen):
    """A part of an answer that can be true or false, and the footnotes that support it."""

    text: str
    citations: tuple[int, ...] = Field(min_length=1)
    support: Support


class RetrievedEntry(_Frozen):
    """One retrieved chunk as the Answer records it: a place, not a text."""

    chunk_id: str
    document_id: str
    start: int
    end: int
    rank: int
    score: float


class Refusal(_Frozen):
    """Why there is no answer, what the documents say nearby, and what could be asked instead."""

    reason: RefusalReason
    message: str
    nearest: tuple[Citation, ...] = ()
    options: tuple[str, ...] = ()


class Approval(_Frozen):
    """That a person has approved an answer: by which id staff find it, and on what day (UTC)."""

    id: str
    date: datetime.date


class Provenance(_Frozen):
    """What produced an answer, so that it can be produced again.

    Attributes:
        answerer: Who judged the evidence and wrote: `extractive` where no language model took part.
        model_missing: Whether a language model should have, and could not be used; left out where it is false.
        approved: There only where the answer was not made for this question but had been approved for it.
    """

    version: str
    index_fingerprint: str
    embedding_model: str
    answerer: str
    language_model: str | None
    prompts_hash: str
    model_missing: bool = Field(default=False, exclude_if=lambda value: not value)
    approved: Approval | None = Field(default=None, exclude_if=lambda value: value is None)


class Answer(_Frozen):
    """One answer with its footnotes. The rules of its fields are checked when it is made.

    Raises:
        ValueError: A marker has no citation, a citation is not used, a refusal carries citations, or `kind` and
            `refusal` disagree.
    """

    id: str
    kind: AnswerKind
    question: str
    standalone_question: str
    text: str
    refusal: Refusal | None
    statements: tuple[Statement, ...]
    citations: tuple[Citation, ...]
    retrieved: tuple[RetrievedEntry, ...]
    confidence: float = Field(ge=0, le=1)
    timings_ms: dict[str, float]
    provenance: Provenance

    @model_validator(mode="after")
    def _check_rules(self) -> Self:
        if (self.kind == "refusal") != (self.refusal is not None):
            raise ValueError(f"kind {self.kind!r} does not agree with refusal {self.refusal!r}")
        if self.kind != "answer" and (self.citations or self.statements):
            raise ValueError(f"an answer of kind {self.kind!r} carries no statements and no citations")
        if self.kind == "answer":
            self._check_citations()
        return self

    def _check_citations(self) -> None:
        numbers = [citation.number for citation in self.citations]
        if len(set(numbers)) != len(numbers):
            raise ValueError(f"citation numbers repeat: {numbers}")
        if not self.statements:
            raise ValueError("an answer needs at least one statement")
        shown = set(marker_numbers(self.text))
        used = {number for statement in self.statements for number in statement.citations}
        if not shown == used == set(numbers):
            raise ValueError(
                f"markers {sorted(shown)}, statements {sorted(used)} and citations {sorted(numbers)} differ"
            )


def marker_numbers(text: str) -> list[int]:
    """Return the numbers of the `[n]` markers in a text, in order of appearance."""
    return [number for number, _, _ in find_markers(text)]


def find_markers(text: str) -> list[tuple[int, int, int]]:
    """Return the number, start and end of each `[n]` marker in a text, in order of appearance."""
    return [(int(marker[1]), marker.start(), marker.end()) for marker in _MARKER.finditer(text)]


def escape_markup(text: str) -> str:
    """Return text in which nothing can be taken for a footnote, a link, a picture or a tag.

    Sources carry their own `[3]`, and clients show answers as Markdown or HTML, where a picture is fetched from
    whatever address a document names. Full-width characters keep the words readable, and compare equal after NFKC.
    """
    text = _MARKER.sub(r"［\1］", text)
    return _MARKUP.sub(lambda match: match.group().translate(_FULL_WIDTH), text)


def render_text(statements: tuple[Statement, ...]) -> str:
    """Return the statements as one text, each followed by its markers, as in `Text of it. [1] [2]`."""
    return " ".join(
        f"{statement.text} {' '.join(f'[{number}]' for number in statement.citations)}" for statement in statements
    )


class SearchResult(BaseModel):
    """What a question retrieved."""

    model_config = ConfigDict(frozen=True)

    id: str
    standalone_question: str
    retrieved: tuple[RetrievedEntry, ...]
    timings_ms: dict[str, float]
