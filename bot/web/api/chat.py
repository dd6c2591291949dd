"""`/v1`: Footnote as a model behind OpenAI's chat-completions API, for the chat clients that exist."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Sequence
from typing import Annotated
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.responses import StreamingResponse

from bot.answer.answer import Answer
from bot.answer.conversation import Turn, recent_turns
from bot.chatbot import Chatbot
from bot.web.api.authentication import Door
from bot.web.api.chat_models import (
    MODEL,
    AssistantMessage,
    ChatChoice,
    ChatCompletion,
    ChatMessage,
    ChatRequest,
    Model,
    ModelList,
    Usage,
)
from bot.web.api.chat_stream import ChatStream, annotate
from bot.web.api.errors import ApiError, ErrorDetails, documented
from bot.web.api.turns import Turns

_STREAM = {"text/event-stream": {"schema": {"type": "string", "description": "Chunks, with `stream`."}}}


def chat_api_routes(chatbot: Chatbot, turns: Turns, door: Door) -> APIRouter:
    """Return the routes of the OpenAI-compatible API."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])

    @router.post(
        "/chat/completions",
        response_model=ChatCompletion,
        responses={**documented(404), 200: {"content": _STREAM}},
        dependencies=[Depends(door.asks_for("answer"))],
    )
    async def complete(request: Request, asked: Annotated[ChatRequest, Body()]) -> ChatCompletion | Response:
        """Answer the last user message; each sentence carries markers `[n]`, each marker an annotation.

        Only verified statements are streamed. The whole Answer object is under `footnote`, in a stream in its last
        chunk. System messages and parameters that steer a language model are ignored.
        """
        _check_model(asked.model)
        question, history = _read(asked.messages)
        base_url, completion_id, created = str(request.base_url), f"chatcmpl-{uuid4().hex}", int(time.time())

        def usage(answer: Answer) -> Usage:
            read = sum(chatbot.library.count_tokens(text) for text in (question, *(turn.content for turn in history)))
            written = chatbot.library.count_tokens(answer.text)
            return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)

        if asked.stream:
            events = turns.events(request, question, history)
            await anext(events)  # a full line is said with a status, not in the stream
            wants_usage = asked.stream_options is not None and asked.stream_options.include_usage
            stream = ChatStream(completion_id, created, base_url, usage if wants_usage else None)
            headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
            lines = _until_told(stream.lines(events), turns)
            return StreamingResponse(lines, media_type="text/event-stream", headers=headers)
        answer = await turns.answer(request, question, history)
        message = AssistantMessage(content=answer.text, annotations=annotate(answer.text, answer.citations, base_url))
        return ChatCompletion(
            id=completion_id,
            created=created,
            choices=(ChatChoice(message=message),),
            usage=usage(answer),
            footnote=answer,
        )

    @router.get("/models", responses=documented(), dependencies=[Depends(door.asks_for())])
    def models() -> ModelList:
        """List the models: `footnote`, made when the documents were indexed last."""
        return ModelList(data=(_model(chatbot),))

    @router.get("/models/{name}", responses=documented(404), dependencies=[Depends(door.asks_for())])
    def model(name: str) -> Model:
        """Describe a model."""
        _check_model(name)
        return _model(chatbot)

    return router


async def _until_told(lines: AsyncIterator[str], turns: Turns) -> AsyncIterator[str]:
    with turns.under_way():
        async for line in lines:
            yield line


def _read(messages: Sequence[ChatMessage]) -> tuple[str, tuple[Turn, ...]]:
    """Return the question and the turns before it."""
    asked_at = max((place for place, message in enumerate(messages) if message.role == "user"), default=None)
    if asked_at is None:
        message = "messages: there is no message of the role 'user', which would be the question."
        details = ErrorDetails(message=message, type="invalid_request_error", param="messages", code="invalid_value")
        raise ApiError(400, details)
    said = (
        Turn(role=message.role, content=text)
        for message in messages[:asked_at]
        if message.role in ("user", "assistant") and (text := message.text())
    )
    return messages[asked_at].text(), recent_turns(tuple(said))


def _check_model(name: str) -> None:
    if name != MODEL:
        message = f"There is no model {name[:80]!r}: the only one is {MODEL!r}."
        details = ErrorDetails(message=message, type="invalid_request_error", param="model", code="model_not_found")
        raise ApiError(404, details)


def _model(chatbot: Chatbot) -> Model:
    indexed_at = chatbot.overview().indexed_at
    return Model(created=int(indexed_at.timestamp()) if indexed_at else 0)
