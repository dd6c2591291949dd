"""Documents, spans of their text, and the chunks that are searched.

A `Span` counts characters of `Document.text`, half-open. Offsets are computed when a document is split into chunks,
asserted there, and carried unchanged to the citation.
"""

from __future__ import annotations

import datetime
import hashlib
import json
from dataclasses import dataclass, field
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A half-open range `[start, end)` of characters."""

    start: int
    end: int

    def __post_init__(self) -> None:
        if not 0 <= self.start <= self.end:
            raise ValueError(f"span must satisfy 0 <= start <= end, got {self.start}:{self.end}")

    def __len__(self) -> int:
        return self.end - self.start

    def of(self, text: str) -> str:
        """Return the characters of `text` in this span."""
        return text[self.start : self.end]

    def shift(self, offset: int) -> Span:
        """Return the same range, `offset` characters later."""
        return Span(self.start + offset, self.end + offset)

    def overlap(self, other: Span) -> int:
        """Return how many characters the two spans share."""
        return max(0, min(self.end, other.end) - max(self.start, other.start))

    def contains(self, other: Span) -> bool:
        """Return whether `other` lies wholly inside this span."""
        return self.start <= other.start and other.end <= self.end


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a paged document: its number, from 1, and its span in the text."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and the text below it, up to the next heading of its level or above.

    Attributes:
        title: The heading as written in the text.
        level: 1 for the highest.
        span: Starts at the first character of the heading.
    """

    title: str
    level: int
    span: Span


class MarkKind(StrEnum):
    """Kinds of content that staff should know about."""

    HIDDEN_TEXT = "hidden_text"  # not visible on the page, so it is left out of the text
    INVISIBLE_CHARACTERS = "invisible_characters"  # stay in the text and are ignored in a search
    PLANTED_INSTRUCTION = "planted_instruction"  # addressed to a language model, so it is never evidence
    BOILERPLATE = "boilerplate"  # repeated on every page, or navigation, so it is left out of the text


@dataclass(frozen=True, slots=True)
class Mark:
    """Something in a document that is kept out of answers.

    Attributes:
        span: Its place in the text; None if it is left out of the text.
        excerpt: The words, shortened if they are long.
    """

    kind: MarkKind
    span: Span | None
    excerpt: str


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one source, as stored.

    Attributes:
        document_id: Path below the indexed folder with `/` between parts, or a corpus row's `_id`.
        title: Never empty.
        text: Plain text with `\\n` line ends; all spans count its characters.
        media_type: Internet media type of the source.
        source_hash: SHA-256 (hex) of the bytes of the source.
        pages: Page spans in order, empty for formats without pages.
        sections: Headings in order.
        date: The date that the document states for itself.
        marks: Content that is kept out of answers, and why.
    """

    document_id: str
    title: str
    text: str
    media_type: str
    source_hash: str
    pages: tuple[Page, ...] = ()
    sections: tuple[Section, ...] = ()
    date: datetime.date | None = None
    marks: tuple[Mark, ...] = ()

    def content_hash(self) -> str:
        """Return a hash of all stored content; a document with the same hash need not be indexed again."""
        pages = ",".join(f"{page.number}:{page.span.start}" for page in self.pages)
        described = [self.sections_as_rows(), self.marks_as_rows(), self.date and self.date.isoformat()]
        return hash_text(self.title, self.text, pages, *([json.dumps(described)] if any(described) else []))

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that contains the character at `offset`, or None."""
        for page in self.pages:
            if page.span.start <= offset < page.span.end:
                return page.number
        return None

    def section_at(self, offset: int) -> Section | None:
        """Return the innermost section that contains the character at `offset`, or None."""
        holding = [section for section in self.sections if section.span.start <= offset < section.span.end]
        return holding[-1] if holding else None

    def sections_as_rows(self) -> list[tuple[str, int, int, int]]:
        """Return title, level, start and end of every section, as the catalogue stores them."""
        return [(section.title, section.level, section.span.start, section.span.end) for section in self.sections]

    def marks_as_rows(self) -> list[tuple[str, int | None, int | None, str]]:
        """Return kind, start, end and excerpt of every mark, as the catalogue stores them."""
        return [
            (
                mark.kind.value,
                mark.span.start if mark.span else None,
                mark.span.end if mark.span else None,
                mark.excerpt,
            )
            for mark in self.marks
        ]

    def barred(self) -> list[Span]:
        """Return the spans that must not become evidence."""
        return [mark.span for mark in self.marks if mark.span and mark.kind is MarkKind.PLANTED_INSTRUCTION]


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is embedded and searched.

    Attributes:
        chunk_id: Derived from the document's id, its text and the position, so that indexing twice gives the same ids.
        span: Place in `Document.text`; `Document.text[span.start:span.end] == text`.
        sentences: Spans of the sentences that may be evidence, in characters of `Document.text`, in order.
        title: Title of the document, as context for embedding.
    """

    chunk_id: str
    document_id: str
    position: int
    span: Span
    text: str
    title: str
    sentences: tuple[Span, ...] = field(default=())

    def sentence_text(self, sentence: Span) -> str:
        """Return the text of one of the chunk's sentences."""
        return sentence.shift(-self.span.start).of(self.text)

    def is_evidence(self, place: Span) -> bool:
        """Return whether a span of the document, inside the chunk, contains only evidence sentences and white space."""
        position = place.start
        for sentence in self.sentences:
            if sentence.end <= place.start or sentence.start >= place.end:
                continue
            if sentence.start > position and self.sentence_text(Span(position, sentence.start)).strip():
                return False
            position = sentence.end
        return position >= place.end or not self.sentence_text(Span(position, place.end)).strip()


@dataclass(frozen=True, slots=True)
class RetrievedChunk:
    """A search result: a chunk, its rank (from 1) and its scores.

    Attributes:
        score: Fused score in [0, 1]; higher is better.
        similarity: Cosine of question and chunk vectors, or None when only keywords found it.
        keyword_score: BM25 score; higher is better. None when only vectors found it.
    """

    chunk: Chunk
    rank: int
    score: float
    similarity: float | None = None
    keyword_score: float | None = None


def hash_text(*parts: str) -> str:
    """Return the SHA-256 (hex) of the parts, each prefixed by its length, so that no two lists are hashed alike."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(encoded)}:".encode())
        digest.update(encoded)
    return digest.hexdigest()
