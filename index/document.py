"""Documents, the places in them, and the pieces that are searched.

Every text has an address: a `Span` counts characters of `Document.text`, half-open. Offsets are made when a
chunk is cut, asserted there, and carried unchanged to the footnote.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field


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
    """One page of a paged document: its number as printed by the reader (from 1) and its place in the text."""

    number: int
    span: Span


@dataclass(frozen=True, slots=True)
class Document:
    """The text of one source, as stored.

    Attributes:
        document_id: Path below the indexed folder with `/` between parts, or a corpus row's `_id`.
        title: What a reader would call it; never empty.
        text: Plain text with `\\n` line ends. Everything else counts characters of this string.
        media_type: Internet media type of the source.
        source_hash: SHA-256 (hex) of the bytes it was read from.
        pages: Page spans in order, empty for formats without pages.
    """

    document_id: str
    title: str
    text: str
    media_type: str
    source_hash: str
    pages: tuple[Page, ...] = ()

    def content_hash(self) -> str:
        """Return a hash of what a reader sees: two sources with the same one need not be indexed again."""
        pages = ",".join(f"{page.number}:{page.span.start}" for page in self.pages)
        return hash_text(self.title, self.text, pages)

    def page_at(self, offset: int) -> int | None:
        """Return the number of the page that holds the character at `offset`, or None."""
        for page in self.pages:
            if page.span.start <= offset < page.span.end:
                return page.number
        return None


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that is embedded and searched.

    Attributes:
        chunk_id: Made from the document's id, its text and the place, so indexing twice gives the same ids.
        span: Place in `Document.text`; `Document.text[span.start:span.end] == text`.
        sentences: Sentence spans inside the chunk, in characters of `Document.text`, in order.
        title: Title of the document, for context when embedding and judging.
    """

    chunk_id: str
    document_id: str
    position: int
    span: Span
    text: str
    title: str
    sentences: tuple[Span, ...] = field(default=())

    def sentence_text(self, sentence: Span) -> str:
        """Return the words of one of the chunk's sentences."""
        return sentence.shift(-self.span.start).of(self.text)


@dataclass(frozen=True, slots=True)
class RetrievedChunk:
    """A search result: a chunk, its rank (from 1) and why it is there.

    Attributes:
        score: Fused score in [0, 1]; higher is better.
        similarity: Cosine of question and chunk vectors, or None when only keywords found it.
        keyword_score: BM25 score (higher is better), or None when only vectors found it.
    """

    chunk: Chunk
    rank: int
    score: float
    similarity: float | None = None
    keyword_score: float | None = None


def hash_text(*parts: str) -> str:
    """Return the SHA-256 (hex) of the parts, each prefixed by its length so that no two lists collide."""
    digest = hashlib.sha256()
    for part in parts:
        encoded = part.encode("utf-8", "surrogatepass")
        digest.update(f"{len(encoded)}:".encode())
        digest.update(encoded)
    return digest.hexdigest()
