"""The document beside an answer that is checked: shown around a place, and picked from by selecting its words."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, JSONResponse
from markupsafe import Markup
from starlette.datastructures import QueryParams

from bot.answer.errors import ReviewError
from bot.staff.review.verdicts import PickedPassage, pick
from bot.web.page.links import decode_id, encode_id, quote_check
from bot.web.page.render_html import render_page, stored_offset, visible
from bot.web.page.source_page import place_values
from bot.web.staff.staff_page import StaffServices, fault_in, staff_texts
from index.document import Document, Span

# A number of a place; no document has more characters.
_Offset = Annotated[int, Form(ge=0, le=10**9)]


def source_routes(services: StaffServices) -> APIRouter:
    """Return the routes that the pane beside the answer calls."""
    router = APIRouter()

    @router.get("/source/{segment}")
    def source(request: Request, segment: str) -> HTMLResponse:
        return HTMLResponse(show_source(request, _document(services, segment), request.query_params))

    @router.post("/source/{segment}")
    def pick_passage(
        request: Request,
        segment: str,
        first: _Offset,
        start: _Offset,
        last: _Offset,
        end: _Offset,
        seen: Annotated[str, Form()],
    ) -> JSONResponse:
        """Return the exact place of what was selected: offsets within the paragraphs that begin at `first`, `last`."""
        document, t = _document(services, segment), staff_texts(request)
        try:
            passage = pick_selection(document, (first, start), (last, end), seen)
        except ReviewError as error:
            return JSONResponse({"fault": fault_in(t, str(error)).words}, 409)
        page, section = document.page_at(passage.span.start), document.section_at(passage.span.start)
        places = [document.title, t("page", page=page) if page else "", section.title if section else ""]
        return JSONResponse(
            {
                "passage": to_field(passage),
                "quote": visible(passage.quote),
                "place": visible(" · ".join(dict.fromkeys(place for place in places if place))),
            }
        )

    return router


def show_source(request: Request, document: Document, query: QueryParams | dict[str, str]) -> Markup:
    """Return a document around a place, as the public page shows it."""
    page = render_page("document.html", staff_texts(request), fragment=False, **place_values(document, query))
    return Markup(page)  # noqa: S704  # rendered by templates that escape


def pick_selection(document: Document, begin: tuple[int, int], finish: tuple[int, int], seen: str) -> PickedPassage:
    """Return the passage that somebody selected on the page.

    Args:
        document: What is shown there.
        begin: Where the paragraph begins in the document, and how many displayed characters of it come before.
        finish: The same for the end.
        seen: The words that were selected, with whatever white space.

    Raises:
        ReviewError: The document has other words at this place by now.
    """
    start, end = (first + stored_offset(document.text[first:], offset) for first, offset in (begin, finish))
    place = Span(min(start, end), end)
    if "".join(visible(place.of(document.text)).split()) != "".join(visible(seen).split()):
        raise ReviewError(f"The text of {document.title!r} has changed since you opened it: open it again, then pick.")
    return pick(document, place)


def to_field(passage: PickedPassage) -> str:
    """Return a passage as a field of the form holds it: its place, and a check of its words."""
    return f"{encode_id(passage.document_id)}:{passage.span.start}:{passage.span.end}:{quote_check(passage.quote)}"


def from_field(services: StaffServices, field: str) -> PickedPassage:
    """Return the passage of a field, with the words that stand there.

    Raises:
        ReviewError: Other words stand there now.
    """
    segment, start, end, check = [*field.split(":"), "", "", ""][:4]
    document = _document(services, segment)
    if not (start.isdecimal() and end.isdecimal() and int(start) <= int(end)):
        raise ReviewError("A passage of the form cannot be read: reload the page and pick it again.")
    passage = pick(document, Span(int(start), int(end)))
    if quote_check(passage.quote) != check:
        raise ReviewError(f"The text of {document.title!r} has changed since you picked from it: pick again.")
    return passage


def _document(services: StaffServices, segment: str) -> Document:
    document_id = decode_id(segment)
    document = services.chatbot.document(document_id) if document_id is not None else None
    if document is None:
        raise HTTPException(404, "This document is no longer in the index.")
    return document
