"""The source view: a document with the cited place marked, beside the answer or on a page of its own.

Documents are looked up by id in the index, so an address can name nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from bot.web.language import Texts
from bot.web.layout import WHOLE, WINDOW, lay_out, window
from bot.web.links import decode_id, place_path, quote_check
from bot.web.reader import texts_for, theme_for
from bot.web.render import render_page
from bot.web.visitor import visitor_of
from index.document import Document, Span

_OFFSET_DIGITS = 12


class Library(Protocol):
    """Where documents are looked up; a `Chatbot` is one."""

    def document(self, document_id: str) -> Document | None:
        """Return a document by its id."""
        ...


def source_routes(library: Library) -> APIRouter:
    """Return the routes that show documents."""
    router = APIRouter()

    @router.get("/source/{segment:path}", response_class=HTMLResponse)
    def show(request: Request, segment: str) -> HTMLResponse:
        texts = texts_for(request)
        document_id = decode_id(segment)
        document = library.document(document_id) if document_id is not None else None
        if document is None:
            return _missing(request, texts)
        values = place_values(document, request.query_params)
        if "fragment" in request.query_params:
            return HTMLResponse(render_page("document.html", texts, fragment=True, **values))
        page = render_page(
            "source.html",
            texts,
            title=document.title,
            theme=theme_for(request),
            own_conversation=bool(visitor_of(request.cookies)),
            fragment=False,
            **values,
        )
        return HTMLResponse(page)

    return router


def missing_page(request: Request, texts: Texts, title: str, explanation: str) -> HTMLResponse:
    """Return a page that says, in a sentence, that nothing is at this address."""
    page = render_page(
        "source.html",
        texts,
        title=title,
        explanation=explanation,
        document=None,
        theme=theme_for(request),
        own_conversation=bool(visitor_of(request.cookies)),
    )
    return HTMLResponse(page, status_code=404)


def _missing(request: Request, texts: Texts) -> HTMLResponse:
    return missing_page(request, texts, texts("source_missing_title"), texts("source_missing"))


def _span(start: str | None, end: str | None) -> Span | None:
    """Return the place a link names; None when it names none."""
    offsets = [int(value) for value in (start, end) if value and value.isdecimal() and len(value) <= _OFFSET_DIGITS]
    return Span(*offsets) if len(offsets) == 2 and offsets[0] <= offsets[1] else None


def place_values(document: Document, query: Mapping[str, str]) -> dict[str, object]:
    """Return what `document.html` needs to show a document around a place.

    Args:
        document: What is shown.
        query: `start` and `end` of the place, `check` of its words, `all` for the whole document.
    """
    asked, check, whole = _span(query.get("start"), query.get("end")), query.get("check", ""), "all" in query
    cited = asked if asked is not None and len(asked) > 0 and asked.end <= len(document.text) else None
    changed = asked is not None and len(asked) > 0 and cited is None
    if cited is not None and check and quote_check(cited.of(document.text)) != check:
        cited, changed = None, True
    around = (
        cited or Span(min(asked.start, len(document.text)), min(asked.start, len(document.text)))
        if asked
        else Span(0, 0)
    )
    shown = window(document.text, around, WHOLE if whole else WINDOW)
    link = place_path(document.document_id, asked.start if asked else 0, asked.end if asked else 0, check)
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
