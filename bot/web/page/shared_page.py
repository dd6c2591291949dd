"""Links to single answers: made and revoked by their reader, shown with the sources as they are today."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import APIRouter, HTTPException, Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import Answer, Citation
from bot.storage.answer_changes import PassageState, check_passage
from bot.storage.shared_links import SharedAnswers
from bot.web.page.language import texts_for, theme_for, visitor_of
from bot.web.page.links import citation_path, place_path
from bot.web.page.render_html import render_page
from bot.web.page.source_page import FindDocument, not_found_page

_HEADERS = {"x-robots-tag": "noindex, nofollow", "cache-control": "no-store"}


class ShareRequest(BaseModel):
    """The answer to make a link to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(max_length=64)


@dataclass(frozen=True, slots=True)
class CheckedSource:
    """A source of an answer as the documents are now.

    Attributes:
        state: Whether the quoted words are unchanged, moved within the document, or changed, or the document is gone.
        path: Where to read it.
    """

    citation: Citation
    state: PassageState
    path: str | None


def shared_routes(find_document: FindDocument, shared: SharedAnswers) -> APIRouter:
    """Return the routes of links to answers."""
    router = APIRouter()

    @router.post("/answer")
    def share(request: Request, wanted: ShareRequest) -> dict[str, str]:
        token = shared.share(wanted.id, visitor_of(request.cookies))
        if token is None:
            raise HTTPException(404)
        return {"path": f"/answer/{token}"}

    @router.get("/answer/{token}", response_class=HTMLResponse)
    def show(request: Request, token: str) -> Response:
        texts = texts_for(request)
        found = shared.find(token)
        if found is None:
            missing = not_found_page(request, texts, texts("shared_missing_title"), texts("shared_missing"))
            missing.headers.update(_HEADERS)
            return missing
        sources = [check_source(citation, find_document) for citation in _cited(found.answer)]
        page = render_page(
            "shared.html",
            texts,
            answer=found.answer,
            asked_on=texts.date(found.asked_at.astimezone().date()),
            sources={source.citation.number: source for source in sources},
            same=all(source.state == "unchanged" for source in sources),
            token=token,
            own_conversation=bool(found.visitor) and found.visitor == visitor_of(request.cookies),
            theme=theme_for(request),
        )
        return HTMLResponse(page, headers=_HEADERS)

    @router.post("/answer/{token}/remove")
    def take_back(request: Request, token: str) -> Response:
        if not shared.take_back(token, visitor_of(request.cookies)):
            raise HTTPException(404)
        return RedirectResponse(f"/answer/{token}", status_code=303, headers=_HEADERS)

    return router


def check_source(citation: Citation, find_document: FindDocument) -> CheckedSource:
    """Compare what an answer quoted with what the document says now."""
    checked = check_passage(citation, find_document(citation.document_id))
    path = None if checked.state == "gone" else citation_path(citation)
    if checked.state == "moved" and checked.span is not None:
        path = place_path(citation.document_id, checked.span.start, checked.span.end)
    return CheckedSource(citation, checked.state, path)


def _cited(answer: Answer) -> tuple[Citation, ...]:
    return answer.citations or (answer.refusal.nearest if answer.refusal else ())
