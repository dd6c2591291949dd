"""The API as an application of its own below `/api` and `/v1`, described by OpenAPI; the routes below `/api`."""

from __future__ import annotations

from datetime import datetime
from importlib.metadata import version
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, FastAPI, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import Answer
from bot.answer.conversation import Turn, recent_turns
from bot.chatbot import Chatbot
from bot.storage.api_keys import ApiKeys
from bot.web.answer_service import AnswerService
from bot.web.api.answer_requests import AnswerRequests
from bot.web.api.chat_completions import REFUSED_VALUES, completion_routes
from bot.web.api.errors import ApiError, documented, handle_errors, invalid_request
from bot.web.api.key_authentication import KeyAuthentication
from bot.web.extensions import Pages
from bot.web.rate_limits import RateLimits
from bot.web.search import FoundChunks, find
from bot.web.security import API_PATHS

_DESCRIPTION = """Answers from your documents, every sentence with a footnote that opens its exact place.

Places are half-open ranges of characters (Unicode code points) of a document's stored text; a citation's `quote` equals
that text from `start` to `end`. Errors have the shape of OpenAI's API everywhere."""
_QUESTION = "The question, in English or Chinese."
_HISTORY = "The turns before it, oldest first; the last 12 are read."
_TOP_K = "How many pieces of documents to find; the setting `top_k` when left out."
_LONGEST_PAGE = 200
_OFFSET = 2**31 - 1


def build_api(chatbot: Chatbot, service: AnswerService, keys: ApiKeys, limits: RateLimits) -> tuple[Pages, ...]:
    """Return the API as groups of pages, one below each of its paths."""
    app = FastAPI(
        title="Footnote",
        description=_DESCRIPTION,
        version=version("footnote-chat"),
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    authentication, requests = KeyAuthentication(keys, chatbot.settings, limits), AnswerRequests(service)
    handle_errors(app, REFUSED_VALUES)
    app.include_router(_answer_routes(chatbot, requests, authentication))
    app.include_router(_document_routes(chatbot, authentication))
    app.include_router(completion_routes(chatbot, requests, authentication))
    _remove_validation_errors(app.openapi())
    return tuple(Pages("API", path, app, path, lambda: None) for path in API_PATHS)


def _remove_validation_errors(schema: dict[str, Any]) -> None:
    """Remove FastAPI's own errors from the description: ours have status 400 and one shape."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            operation["responses"].pop("422", None)
    for name in ("HTTPValidationError", "ValidationError"):
        schema["components"]["schemas"].pop(name, None)


class AnswerRequest(BaseModel):
    """A question with the conversation before it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(description=_QUESTION)
    history: tuple[Turn, ...] = Field(default=(), description=_HISTORY)


class SearchRequest(AnswerRequest):
    """What to search for."""

    top_k: int | None = Field(default=None, ge=1, le=100, description=_TOP_K)


def _answer_routes(chatbot: Chatbot, requests: AnswerRequests, authentication: KeyAuthentication) -> APIRouter:
    router = APIRouter(prefix="/api", responses=documented())
    may_answer = [Depends(authentication.requires("answer"))]
    may_search = [Depends(authentication.requires("search"))]

    @router.get("/answer", dependencies=may_answer, tags=["Answers"])
    async def answer(request: Request, question: Annotated[str, Query(description=_QUESTION)]) -> Answer:
        """Answer a question: verified statements, each with citations, or a refusal that says why."""
        return await requests.answer(request, question)

    @router.post("/answer", dependencies=may_answer, tags=["Answers"])
    async def answer_in_conversation(request: Request, body: Annotated[AnswerRequest, Body()]) -> Answer:
        """Answer a question that may refer to what was said before."""
        return await requests.answer(request, body.question, recent_turns(body.history))

    @router.get("/search", dependencies=may_search, tags=["Search"])
    def search(
        question: Annotated[str, Query(description=_QUESTION)],
        top_k: Annotated[int | None, Query(ge=1, le=100, description=_TOP_K)] = None,
    ) -> FoundChunks:
        """Find the pieces of documents that suit a question, best first, without an answer."""
        return find(chatbot, question, top_k=top_k)

    @router.post("/search", dependencies=may_search, tags=["Search"])
    def search_in_conversation(body: Annotated[SearchRequest, Body()]) -> FoundChunks:
        """Find what suits a question that may refer to what was said before."""
        return find(chatbot, body.question, recent_turns(body.history), body.top_k)

    return router


class DocumentEntry(BaseModel):
    """A document without its text."""

    model_config = ConfigDict(from_attributes=True)

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


def _document_routes(chatbot: Chatbot, authentication: KeyAuthentication) -> APIRouter:
    router = APIRouter(prefix="/api", tags=["Documents"], dependencies=[Depends(authentication.requires("documents"))])

    @router.get("/documents", responses=documented())
    def documents(
        limit: Annotated[int, Query(ge=1, le=_LONGEST_PAGE)] = 50, offset: Annotated[int, Query(ge=0, le=_OFFSET)] = 0
    ) -> DocumentList:
        """List the documents, a page at a time."""
        overview = chatbot.overview()
        listed = overview.documents[offset : offset + limit]
        return DocumentList(
            total=len(overview.documents),
            offset=offset,
            documents=tuple(DocumentEntry.model_validate(summary) for summary in listed),
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
            raise ApiError(404, invalid_request(message, "document_id", "document_not_found"))
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
