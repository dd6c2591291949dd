"""A stored text as paragraphs, with the cited place marked.

Lines of a hard-wrapped text are set as one paragraph; every character keeps its place, so the words under the
mark are exactly the words of the span.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from index.document import Document, Span

WINDOW = 15_000
WHOLE = 500_000
_LONGEST_LINE_SEARCHED = 2_000
# Lines of a hard-wrapped text are about as long as each other, no longer than this, and seldom end a sentence.
_WRAPPED_WIDTH = range(40, 111)
_FULL_LINE = 0.7
_SENTENCE_ENDS = (".", "!", "?", ":", "。", "！", "？", "：", "”", "」")


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One paragraph around the mark, any part of which may be empty.

    Attributes:
        start: Where it begins, in characters of the document.
        page: Number of the page that begins with this paragraph, or None.
    """

    before: str
    marked: str
    after: str
    start: int
    first_mark: bool = False
    page: int | None = None


def window(text: str, cited: Span, reach: int) -> Span:
    """Return the part of a text to show: whole lines, `reach` characters either side of the cited place."""
    start, end = max(0, cited.start - reach), min(len(text), cited.end + reach)
    if start:
        start = max(text.rfind("\n", max(0, start - _LONGEST_LINE_SEARCHED), start) + 1, start - _LONGEST_LINE_SEARCHED)
    if end < len(text):
        line_end = text.find("\n", end, end + _LONGEST_LINE_SEARCHED)
        end = line_end if line_end >= 0 else end
    return Span(start, end)


def lay_out(document: Document, shown: Span, cited: Span | None) -> list[Paragraph]:
    """Return the shown part of a document as paragraphs."""
    page_starts = iter([page for page in document.pages if shown.start <= page.span.start < shown.end])
    next_page = next(page_starts, None)
    paragraphs: list[Paragraph] = []
    first_mark = True
    for block in _blocks(document.text, shown):
        page = None
        while next_page is not None and next_page.span.start < block.end:
            page, next_page = next_page.number, next(page_starts, None)
        mark = _common(block, cited) if cited is not None else Span(block.end, block.end)
        paragraphs.append(
            Paragraph(
                before=document.text[block.start : mark.start],
                marked=mark.of(document.text),
                after=document.text[mark.end : block.end],
                start=block.start,
                first_mark=first_mark and len(mark) > 0,
                page=page,
            )
        )
        first_mark = first_mark and not len(mark)
    return paragraphs


def _common(block: Span, cited: Span) -> Span:
    start, end = max(block.start, cited.start), min(block.end, cited.end)
    return Span(start, end) if start < end else Span(block.end, block.end)


def _blocks(text: str, shown: Span) -> Iterator[Span]:
    lines = list(_lines(text, shown))
    full_length = _full_length([line.of(text).rstrip() for line in lines])
    open_block: Span | None = None
    previous_length = 0
    for line in lines:
        if not line.of(text).strip():
            if open_block is not None:
                yield open_block
            open_block = None
        elif open_block is None:
            open_block = line
        elif full_length is not None and previous_length >= full_length:
            open_block = Span(open_block.start, line.end)
        else:
            yield open_block
            open_block = line
        previous_length = len(line)
    if open_block is not None:
        yield open_block


def _full_length(lines: list[str]) -> float | None:
    """Return how long a line must be to run on into the next; None when the text is not hard-wrapped."""
    lengths = sorted(len(line) for line in lines if line)
    width = lengths[int(len(lengths) * 0.9)] if lengths else 0
    full = [line for line in lines if len(line) >= _FULL_LINE * width]
    ending = sum(line.endswith(_SENTENCE_ENDS) for line in full)
    return _FULL_LINE * width if width in _WRAPPED_WIDTH and ending < len(full) / 2 else None


def _lines(text: str, shown: Span) -> Iterator[Span]:
    start = shown.start
    while start < shown.end:
        newline = text.find("\n", start, shown.end)
        end = newline if newline >= 0 else shown.end
        yield Span(start, end)
        start = end + 1
