"""`/api/answer` and `/api/search`: the Answer object itself, and what a question retrieves."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import Answer
from bot.answer.conversation import Turn, recent_turns
from bot.chatbot import Chatbot
from bot.programs.search import Found, find
from bot.web.api.authentication import Door
from bot.web.api.errors import documented
from bot.web.api.turns import Turns

_QUESTION = "The question, in English or Chinese."
_HISTORY = "The turns before it, oldest first; the last 12 are read."
_TOP_K = "How many pieces of documents to find; the setting `top_k` when left out."


class Asked(BaseModel):
    """A question with the conversation before it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    question: str = Field(description=_QUESTION)
    history: tuple[Turn, ...] = Field(default=(), description=_HISTORY)


class SearchAsked(Asked):
    """What to search for."""

    top_k: int | None = Field(default=None, ge=1, le=100, description=_TOP_K)


def answer_routes(chatbot: Chatbot, turns: Turns, door: Door) -> APIRouter:
    """Return the routes that answer and search."""
    router = APIRouter(prefix="/api", responses=documented())
    answering = [Depends(door.asks_for("answer"))]
    searching = [Depends(door.asks_for("search"))]

    @router.get("/answer", dependencies=answering, tags=["Answers"])
    async def answer(request: Request, question: Annotated[str, Query(description=_QUESTION)]) -> Answer:
        """Answer a question: verified statements, each with citations, or a refusal that says why."""
        return await turns.answer(request, question)

    @router.post("/answer", dependencies=answering, tags=["Answers"])
    async def answer_in_conversation(request: Request, asked: Annotated[Asked, Body()]) -> Answer:
        """Answer a question that may refer to what was said before."""
        return await turns.answer(request, asked.question, recent_turns(asked.history))

    @router.get("/search", dependencies=searching, tags=["Search"])
    def search(
        question: Annotated[str, Query(description=_QUESTION)],
        top_k: Annotated[int | None, Query(ge=1, le=100, description=_TOP_K)] = None,
    ) -> Found:
        """Find the pieces of documents that suit a question, best first, without an answer."""
        return find(chatbot, question, top_k=top_k)

    @router.post("/search", dependencies=searching, tags=["Search"])
    def search_in_conversation(asked: Annotated[SearchAsked, Body()]) -> Found:
        """Find what suits a question that may refer to what was said before."""
        return find(chatbot, asked.question, recent_turns(asked.history), asked.top_k)

    return router
