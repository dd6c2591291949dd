"""Running headers and footers: lines at the edge of most pages that differ by numbers at most.

PDF files, page by page, so that a footnote can name the page.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from index.document import Document, Page, Section, Span
from index.errors import UnreadableDocumentError
from index.readers.block_text import BuiltText, collapse, sections_from
from index.readers.line_repair import repair_lines, words_of
from index.readers.pdf_layout import Line, read_lines
from index.readers.pdf_page import PageText, draw, read_page
from index.readers.recognise import recognise, recognition
from index.readers.source_file import SourceFile, StillReading, Unreadable
from index.readers.titles import choose_title, heading_line, parse_date

_EDGE: Final = 0.12  # of the page's height
_LEAST_PAGES: Final = 3
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")


def take_out_furniture(pages: Sequence[list[Line]], heights: Sequence[float]) -> tuple[list[list[Line]], list[str]]:
    """Return the pages without their running headers and footers, and those, each once.

    Args:
        pages: The lines of each page.
        heights: Of the pages, in points.
    """
    found = Counter(
        key
        for lines, height in zip(pages, heights, strict=True)
        for key in {_key(line.text) for line in lines if _at_edge(line, height)}
    )
    repeated = {key for key, count in found.items() if key and count >= max(_LEAST_PAGES, len(pages) / 2)}
    kept, taken = [], {}
    for lines, height in zip(pages, heights, strict=True):
        out = [line for line in lines if _at_edge(line, height) and _key(line.text) in repeated]
        taken.update({_key(line.text): line.text for line in out})
        kept.append([line for line in lines if line not in out])
    return kept, list(taken.values())


def _at_edge(line: Line, height: float) -> bool:
    return bool(line.text) and (line.top < _EDGE * height or line.bottom > (1 - _EDGE) * height)


def _key(text: str) -> str:
    return _DIGITS.sub("#", " ".join(text.lower().split()))


_PAGE_BREAK: Final = "\n\n"
_NO_PDF: Final = "is damaged or no PDF: open it in a viewer and save it again"
_ENCRYPTED: Final = "is encrypted: save it without a password or protection"
_SCAN: Final = "has no text: it looks like a scan, so run text recognition (OCR) on it first"
_NO_TITLE = re.compile(
    r"untitled.*|microsoft \w+ - .*|document\d*|.*\.\w{2,5}|[^\W\d_]?\W*\d*|(?:/|file:).*|.*\\.*", re.IGNORECASE
)
_RECOGNITION_SCALE: Final = 300 / 72  # dots an inch over points an inch
_MOST_RECOGNISED: Final = 300
# A long document may take its time, a small file that claims a million pages may not.
_PAGES_A_SIGN: Final = 50
_LEAST_PAGE_BYTES: Final = 500
_MOST_HEADINGS: Final = 5_000


@dataclass(slots=True)
class _PageRead:
    """The lines of a page; None where it is damaged."""

    lines: list[Line] | None
    height: float = 0.0
    hidden: Sequence[str] = ()
    is_scan: bool = False


def read_pdf(source: SourceFile) -> Iterator[Document | Unreadable | StillReading]:
    """Yield the file as one document with its pages, and its damaged or scanned pages as unreadable.

    Scanned pages are recognised where `tesseract` is installed.
    """
    content = source.read()
    pdf = _open(content)
    pages: list[_PageRead] = []
    for number in range(len(pdf)):
        page = _read(pdf, number)
        if page.is_scan and recognition() and sum(one.is_scan for one in pages) < _MOST_RECOGNISED:
            yield StillReading()
            page.lines = [Line(line, 0, 0) for line in recognise(*draw(pdf[number], _RECOGNITION_SCALE)).split("\n")]
        pages.append(page)
        if number % _PAGES_A_SIGN == 0 and number * _LEAST_PAGE_BYTES < len(content):
            yield StillReading()
    kept, left_out = take_out_furniture([page.lines or [] for page in pages], [page.height for page in pages])
    texts = _repaired(kept)
    damaged = [number for number, page in enumerate(pages, start=1) if page.lines is None]
    scanned = [number for number, page in enumerate(pages, start=1) if page.is_scan and not texts[number - 1]]
    hidden = tuple(words for page in pages for words in page.hidden)
    if not any(texts):
        if damaged:
            raise UnreadableDocumentError("has only damaged pages: open it in a viewer and save it again")
        raise UnreadableDocumentError("has no text that can be seen" if hidden else _SCAN)
    text, spans = _join(texts)
    properties = pdf.get_metadata_dict()
    unseen = tuple(properties.get(name, "") for name in ("Subject", "Keywords", "Author"))
    built = BuiltText(text, spans, _sections(pdf, spans, text), hidden, tuple(left_out), unseen)
    declared = properties.get("Title", "").strip()
    title = choose_title(source.document_id, None if _NO_TITLE.fullmatch(declared) else declared, heading_line(text))
    date = parse_date(properties.get("ModDate")) or parse_date(properties.get("CreationDate"))
    yield source.document(content, title, built, "application/pdf", date)
    for numbers, reason in ((damaged, "is damaged"), (scanned, "is a scan, so run text recognition (OCR) on it")):
        for number in numbers:
            yield Unreadable(f"{source.document_id}, page {number}", f"{reason}: the other pages were read")


def _open(content: bytes) -> pdfium.PdfDocument:
    try:
        pdf = pdfium.PdfDocument(content)
        if not len(pdf):
            raise UnreadableDocumentError(_SCAN)
    except pdfium.PdfiumError as error:
        locked = error.err_code in {pdfium_c.FPDF_ERR_PASSWORD, pdfium_c.FPDF_ERR_SECURITY}
        raise UnreadableDocumentError(_ENCRYPTED if locked else _NO_PDF) from error
    return pdf


def _read(pdf: pdfium.PdfDocument, number: int) -> _PageRead:
    try:
        found: PageText = read_page(pdf[number])
    except pdfium.PdfiumError:
        return _PageRead(None)
    is_scan = found.is_picture and not found.pieces
    return _PageRead(read_lines(found.pieces), found.height, found.hidden, is_scan)


def _repaired(pages: Sequence[list[Line]]) -> list[str]:
    written = ["\n".join(line.text for line in lines) for lines in pages]
    words = words_of("\n".join(written))
    return [repair_lines(text, words) for text in written]


def _join(texts: list[str]) -> tuple[str, tuple[Page, ...]]:
    pages: list[Page] = []
    start = 0
    for number, text in enumerate(texts, start=1):
        pages.append(Page(number, Span(start, start + len(text))))
        start += len(text) + len(_PAGE_BREAK)
    return _PAGE_BREAK.join(texts), tuple(pages)


def _sections(pdf: pdfium.PdfDocument, pages: tuple[Page, ...], text: str) -> tuple[Section, ...]:
    """Return the sections of the outline whose titles stand on the pages that it names."""
    headings: list[tuple[int, int, str]] = []
    for bookmark, _ in zip(pdf.get_toc(), range(_MOST_HEADINGS), strict=False):
        title = collapse(bookmark.get_title())
        target = bookmark.get_dest()
        index = target.get_index() if target is not None else None
        if title and index is not None and index < len(pages):
            page = pages[index].span
            start = text.find(title, page.start, page.end)
            if start >= 0:
                headings.append((start, bookmark.level + 1, title))
    return sections_from(sorted(headings), len(text))
