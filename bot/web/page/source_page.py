"""The source view: a document as paragraphs with the cited place marked, beside the answer or on its own page.

Lines of a hard-wrapped text are joined to one paragraph; every character keeps its place, so the marked words are
exactly the words of the span. Documents are looked up by id in the index, so an address can name nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.web.page.language import Texts, texts_for, theme_for, visitor_of
from bot.web.page.links import decode_id, place_path, quote_check
from bot.web.page.render_html import render_page
from index.document import Document, Span

FindDocument = Callable[[str], Document | None]

WINDOW = 15_000
WHOLE = 500_000
_OFFSET_DIGITS = 12
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
    """Yield the paragraphs: a line continues the one before if that was full, in a hard-wrapped text."""
    lines = list(_lines(text, shown))
    full_length = _full_length([line.of(text).rstrip() for line in lines])
    block: Span | None = None
    previous_length = 0
    for line in lines:
        is_blank = not line.of(text).strip()
        if block is not None and not is_blank and full_length is not None and previous_length >= full_length:
            block = Span(block.start, line.end)
        else:
            if block is not None:
                yield block
            block = None if is_blank else line
        previous_length = len(line)
    if block is not None:
        yield block


def _full_length(lines: list[str]) -> float | None:
    """Return how long a line must be to run on into the next; None when the text is not hard-wrapped."""
    lengths = sorted(len(line) for line in lines if line)
    width = lengths[int(len(lengths) * 0.9)] if lengths else 0
    full = [line for line in lines if len(line) >= _FULL_LINE * width]
    ending = sum(line.endswith(_SENTENCE_ENDS) for line in full)
    return _FULL_LINE * width if width in _WRAPPED_WIDTH and ending < len(full) / 2 else None


def _lines(text: str, shown: Span) -> Iterator[Span]:
    start = shown.start
    for line in shown.of(text).split("\n"):
        yield Span(start, start + len(line))
        start += len(line) + 1


def document_page_routes(find_document: FindDocument) -> APIRouter:
    """Return the route that shows documents."""
    router = APIRouter()

    @router.get("/source/{segment:path}", response_class=HTMLResponse)
    def show(request: Request, segment: str) -> HTMLResponse:
        texts = texts_for(request)
        document_id = decode_id(segment)
        document = find_document(document_id) if document_id is not None else None
        if document is None:
            return not_found_page(request, texts, texts("source_missing_title"), texts("source_missing"))
        values = place_values(document, request.query_params)
        if "fragment" in request.query_params:
            return HTMLResponse(render_page("document.html", texts, fragment=True, **values))
        return HTMLResponse(_render(request, texts, document.title, fragment=False, **values))

    return router


def not_found_page(request: Request, texts: Texts, title: str, explanation: str) -> HTMLResponse:
    """Return a page that says that nothing is at this address."""
    page = _render(request, texts, title, explanation=explanation, document=None)
    return HTMLResponse(page, status_code=404)


def _render(request: Request, texts: Texts, title: str, **values: object) -> str:
    own_conversation = bool(visitor_of(request.cookies))
    theme = theme_for(request)
    return render_page("source.html", texts, title=title, theme=theme, own_conversation=own_conversation, **values)


def _span(start: str | None, end: str | None) -> Span | None:
    """Return the place that a link names, if it is valid."""
    offsets = [int(value) for value in (start, end) if value and value.isdecimal() and len(value) <= _OFFSET_DIGITS]
    return Span(*offsets) if len(offsets) == 2 and offsets[0] <= offsets[1] else None


def place_values(document: Document, query: Mapping[str, str]) -> dict[str, object]:
    """Return what `document.html` needs to show a document around a place.

    Args:
        document: What is shown.
        query: `start` and `end` of the place, `check` of its words, `all` for the whole document.
    """
    place = _span(query.get("start"), query.get("end")) or Span(0, 0)
    check, whole = query.get("check", ""), "all" in query
    in_text = place.end <= len(document.text) and (not check or quote_check(place.of(document.text)) == check)
    cited = place if len(place) > 0 and in_text else None
    changed = len(place) > 0 and cited is None
    start = min(place.start, len(document.text))
    shown = window(document.text, cited or Span(start, start), WHOLE if whole else WINDOW)
    link = place_path(document.document_id, place.start, place.end, check)
    return {
        "document": document,
        "paragraphs": lay_out(document, shown, cited),
        "page": document.page_at(cited.start) if cited is not None else None,
        "section": document.section_at(cited.start) if cited is not None else None,
        "changed": changed,
        "windowed": len(shown) < len(document.text),
        "link": link,
        "link_all": None if whole else link.replace("#", "&all=1#"),
    }
