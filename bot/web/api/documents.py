"""`/api/documents`: what can be answered from."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from bot.chatbot import Chatbot
from bot.web.api.authentication import Door
from bot.web.api.errors import ApiError, ErrorDetails, documented

_LONGEST_PAGE = 200
_OFFSET = 2**31 - 1


class DocumentEntry(BaseModel):
    """A document without its text."""

    document_id: str
    title: str
    media_type: str
    characters: int
    indexed_at: datetime


class DocumentList(BaseModel):
    """A page of the list of documents, ordered by id."""

    total: int = Field(description="How many documents there are.")
    offset: int
    documents: tuple[DocumentEntry, ...]
    index_fingerprint: str = Field(description="Changes whenever the documents do.")


class PageEntry(BaseModel):
    """Where a page of a document stands, half-open, in characters of its text."""

    number: int
    start: int
    end: int


class DocumentText(BaseModel):
    """A document, or a part of it, as it is stored: what citations quote, character by character."""

    document_id: str
    title: str
    media_type: str
    characters: int = Field(description="Length of the whole text.")
    pages: tuple[PageEntry, ...]
    start: int = Field(description="Where `text` begins.")
    end: int = Field(description="Where `text` ends: the index after its last character.")
    text: str


def document_routes(chatbot: Chatbot, door: Door) -> APIRouter:
    """Return the routes that show documents."""
    router = APIRouter(prefix="/api", tags=["Documents"], dependencies=[Depends(door.asks_for("documents"))])

    @router.get("/documents", responses=documented())
    def documents(
        limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = 50, offset: Annotated[int, Query(ge=0, le=_OFFSET)] = 0
    ) -> DocumentList:
        """List the documents, a page at a time."""
        overview = chatbot.overview()
        return DocumentList(
            total=len(overview.documents),
            offset=offset,
            documents=tuple(
                DocumentEntry(
                    document_id=summary.document_id,
                    title=summary.title,
                    media_type=summary.media_type,
                    characters=summary.characters,
                    indexed_at=summary.indexed_at,
                )
                for summary in overview.documents[offset : offset + limit]
            ),
            index_fingerprint=overview.fingerprint,
        )

    @router.get("/document", responses=documented(404))
    def document(
        document_id: Annotated[str, Query(description="As citations name it.")],
        start: Annotated[int, Query(ge=0, le=_OFFSET, description="First character.")] = 0,
        end: Annotated[int | None, Query(ge=0, le=_OFFSET, description="Index after the last character.")] = None,
    ) -> DocumentText:
        """Return a document's text, or the part of it from `start` to `end`."""
        found = chatbot.document(document_id)
        if found is None:
            message = f"There is no document {document_id[:200]!r}: `GET /api/documents` lists those there are."
            details = ErrorDetails(
                message=message, type="invalid_request_error", param="document_id", code="document_not_found"
            )
            raise ApiError(404, details)
        first = min(start, len(found.text))
        last = max(first, min(len(found.text) if end is None else end, len(found.text)))
        return DocumentText(
            document_id=found.document_id,
            title=found.title,
            media_type=found.media_type,
            characters=len(found.text),
            pages=tuple(
                PageEntry(number=page.number, start=page.span.start, end=page.span.end) for page in found.pages
            ),
            start=first,
            end=last,
            text=found.text[first:last],
        )

    return router
