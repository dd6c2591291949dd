"""PDF files, page by page, so that a footnote can name the page."""

from __future__ import annotations

import io
import logging
import re
import zlib
from collections.abc import Iterator
from typing import Final

from pypdf import PasswordType, PdfReader
from pypdf.errors import DependencyError, LimitReachedError, PyPdfError

from index.document import Document, Page, Span
from index.errors import UnreadableDocumentError
from index.readers.line_repair import repair_lines, words_of
from index.readers.source import Source, Unreadable
from index.readers.titles import choose_title, heading_line

# pypdf says that broken files may raise other exceptions than its own; these came up when mutated files were read.
_DAMAGE: Final = (
    PyPdfError,
    ArithmeticError,
    AssertionError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RecursionError,
    TypeError,
    ValueError,
    zlib.error,
)
_PAGE_BREAK: Final = "\n\n"
_ENCRYPTED: Final = "is encrypted: save it without a password or protection"
_NO_TITLE = re.compile(
    r"untitled.*|microsoft \w+ - .*|document\d*|.*\.\w{2,5}|[^\W\d_]?\W*\d*|(?:/|file:).*|.*\\.*", re.IGNORECASE
)

logging.getLogger("pypdf").setLevel(logging.CRITICAL)  # it warns of every repair; we say what matters ourselves


def read_pdf(source: Source) -> Iterator[Document | Unreadable]:
    """Yield the file as one document with its pages, and each damaged page as unreadable.

    The limits that pypdf sets on streams, filters and page trees are left in force.
    """
    content = source.read()
    try:
        reader = _open(content)
        extracted = [_extract(reader, index) for index in range(len(reader.pages))]
        declared = _declared_title(reader)
    except DependencyError as error:
        raise UnreadableDocumentError(_ENCRYPTED) from error
    except LimitReachedError as error:
        raise UnreadableDocumentError("unpacks to more than is safe to read: print it to a new PDF") from error
    except _DAMAGE as error:
        raise UnreadableDocumentError("is damaged or no PDF: open it in a viewer and save it again") from error
    words = words_of("\n".join(text or "" for text in extracted))
    texts = [repair_lines(text or "", words) for text in extracted]
    damaged = [number for number, text in enumerate(extracted, start=1) if text is None]
    if not any(texts):
        raise UnreadableDocumentError(
            "has only damaged pages: open it in a viewer and save it again"
            if damaged
            else "has no text: it looks like a scan, so run text recognition (OCR) on it first"
        )
    text, pages = _join(texts)
    title = choose_title(source.document_id, declared, heading_line(text))
    yield source.document(content, title, text, "application/pdf", pages)
    for number in damaged:
        yield Unreadable(f"{source.document_id}, page {number}", "is damaged: the other pages were read")


def _open(content: bytes) -> PdfReader:
    reader = PdfReader(io.BytesIO(content), strict=False)
    if reader.is_encrypted and reader.decrypt("") is PasswordType.NOT_DECRYPTED:
        raise UnreadableDocumentError(_ENCRYPTED)
    return reader


def _extract(reader: PdfReader, index: int) -> str | None:
    """Return the text of a page, or None if the page is damaged."""
    try:
        return reader.pages[index].extract_text()
    except _DAMAGE:
        return None


def _declared_title(reader: PdfReader) -> str | None:
    """Return the title in the file's properties, unless there is none, it is damaged, or a program left it there."""
    try:
        title = (reader.metadata.title if reader.metadata else None) or ""
    except _DAMAGE:
        return None
    return title if not _NO_TITLE.fullmatch(title.strip()) else None


def _join(texts: list[str]) -> tuple[str, tuple[Page, ...]]:
    pages: list[Page] = []
    start = 0
    for number, text in enumerate(texts, start=1):
        pages.append(Page(number, Span(start, start + len(text))))
        start += len(text) + len(_PAGE_BREAK)
    return _PAGE_BREAK.join(texts), tuple(pages)
