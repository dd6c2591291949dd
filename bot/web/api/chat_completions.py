"""`/v1`: Footnote as a model behind OpenAI's chat-completions API, for existing chat clients.

An answer comes whole, or as a stream of verified statements with the Answer object at the end. Footnotes are OpenAI's
`url_citation` annotations: where the marker stands, and a link that opens the place in the source.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Body, Depends, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import Answer, Citation, find_markers, render_text
from bot.answer.conversation import Turn, recent_turns
from bot.answer.events import Event, Finished, StatementReady
from bot.chatbot import Chatbot
from bot.web.answer_service import Waiting
from bot.web.api.answer_requests import AnswerRequests
from bot.web.api.errors import ApiError, ErrorBody, documented, index_unavailable, internal_error, invalid_request
from bot.web.api.key_authentication import KeyAuthentication
from bot.web.page.links import citation_path
from index.errors import FootnoteError

logger = logging.getLogger(__name__)

MODEL = "footnote"
# Parameters with a meaning that Footnote cannot give them; any other value than the harmless one is refused.
REFUSED_VALUES = {
    "n": "there is one answer to a question, so `n` may only be 1",
    "logprobs": "answers have no log-probabilities",
    "tool_choice": "Footnote calls no tools, so it cannot be made to",
    "response_format": "answers are text; the whole Answer object is under `footnote`",
    "modalities": "answers are text",
}
_STREAM = {"text/event-stream": {"schema": {"type": "string", "description": "Chunks, with `stream`."}}}
_HEARTBEAT = ": waiting\n\n"  # a comment of server-sent events, which clients skip
_DONE = "data: [DONE]\n\n"


class _RequestModel(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")


class TextPart(_RequestModel):
    """A part of a message; only text can be read."""

    type: Literal["text"]
    text: str


class ChatMessage(_RequestModel):
    """One message. Those of the roles `user` and `assistant` are read, the others are ignored."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | tuple[TextPart, ...] | None = None

    def text(self) -> str:
        """Return the words of the message."""
        if isinstance(self.content, str):
            return self.content
        return "\n".join(part.text for part in self.content or ())


class StreamOptions(_RequestModel):
    """What else a stream brings."""

    include_usage: bool | None = None


class TextFormat(_RequestModel):
    """The only format of answers."""

    type: Literal["text"]


def _needs_user_message(schema: dict[str, Any]) -> None:
    schema["contains"] = {"type": "object", "properties": {"role": {"const": "user"}}, "required": ["role"]}


class ChatRequest(_RequestModel):
    """The last message of the role `user` is the question, the messages before it are the history."""

    model: str = Field(description="The model's name: `footnote`.")
    messages: Annotated[tuple[ChatMessage, ...], Field(min_length=1, json_schema_extra=_needs_user_message)]
    stream: bool | None = None
    stream_options: StreamOptions | None = None
    n: Literal[1] | None = None
    logprobs: Literal[False] | None = None
    tool_choice: Literal["none", "auto"] | None = None
    response_format: TextFormat | None = None
    modalities: tuple[Literal["text"], ...] | None = None


class UrlCitation(BaseModel):
    """A marker `[n]` in the message, and the page that shows its place in the source."""

    start_index: int = Field(description="Where the marker begins in the message, in characters.")
    end_index: int = Field(description="Where it ends: the index after its last character.")
    title: str
    url: str


class Annotation(BaseModel):
    """A footnote in the form that clients of OpenAI's API show as a link."""

    type: Literal["url_citation"] = "url_citation"
    url_citation: UrlCitation


class AssistantMessage(BaseModel):
    """The answer; a refusal is a message like any other."""

    role: Literal["assistant"] = "assistant"
    content: str
    refusal: None = None
    annotations: tuple[Annotation, ...]


class ChatChoice(BaseModel):
    """The only choice there is."""

    index: int = 0
    message: AssistantMessage
    finish_reason: Literal["stop"] = "stop"
    logprobs: None = None


class Usage(BaseModel):
    """How much was read and written, in tokens of the embedding model's vocabulary."""

    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class ChatCompletion(BaseModel):
    """An answer in OpenAI's format, with the whole Answer object under `footnote`."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str = MODEL
    choices: tuple[ChatChoice]
    usage: Usage
    footnote: Answer


class Model(BaseModel):
    """A model that can be named in a request."""

    id: str = MODEL
    object: Literal["model"] = "model"
    created: int
    owned_by: str = "footnote"


class ModelList(BaseModel):
    """The models: one."""

    object: Literal["list"] = "list"
    data: tuple[Model, ...]


def completion_routes(chatbot: Chatbot, requests: AnswerRequests, authentication: KeyAuthentication) -> APIRouter:
    """Return the routes of the OpenAI-compatible API."""
    router = APIRouter(prefix="/v1", tags=["OpenAI-compatible"])
    has_any_key = [Depends(authentication.requires())]

    @router.post(
        "/chat/completions",
        response_model=ChatCompletion,
        responses={**documented(404), 200: {"content": _STREAM}},
        dependencies=[Depends(authentication.requires("answer"))],
    )
    async def complete(request: Request, body: Annotated[ChatRequest, Body()]) -> ChatCompletion | Response:
        """Answer the last user message; each sentence carries markers `[n]`, each marker an annotation.

        Only verified statements are streamed. The whole Answer object is under `footnote`, in a stream in its last
        chunk. System messages and parameters that steer a language model are ignored.
        """
        _check_model(body.model)
        question, history = _read(body.messages)
        base_url, completion_id, created = str(request.base_url), f"chatcmpl-{uuid4().hex}", int(time.time())

        def usage(answer: Answer) -> Usage:
            read = sum(chatbot.library.count_tokens(text) for text in (question, *(turn.content for turn in history)))
            written = chatbot.library.count_tokens(answer.text)
            return Usage(prompt_tokens=read, completion_tokens=written, total_tokens=read + written)

        if body.stream:
            events = requests.events(request, question, history)
            await anext(events)  # a full queue is reported by the status, not in the stream
            wants_usage = body.stream_options is not None and body.stream_options.include_usage
            stream = _ChatStream(completion_id, created, base_url, usage if wants_usage else None)
            headers = {"cache-control": "no-cache", "x-accel-buffering": "no"}
            lines = _until_sent(stream.lines(events), requests)
            return StreamingResponse(lines, media_type="text/event-stream", headers=headers)
        answer = await requests.answer(request, question, history)
        message = AssistantMessage(content=answer.text, annotations=_annotate(answer.text, answer.citations, base_url))
        return ChatCompletion(
            id=completion_id,
            created=created,
            choices=(ChatChoice(message=message),),
            usage=usage(answer),
            footnote=answer,
        )

    @router.get("/models", responses=documented(), dependencies=has_any_key)
    def models() -> ModelList:
        """List the models: `footnote`, made when the documents were indexed last."""
        return ModelList(data=(_model(chatbot),))

    @router.get("/models/{name}", responses=documented(404), dependencies=has_any_key)
    def model(name: str) -> Model:
        """Describe a model."""
        _check_model(name)
        return _model(chatbot)

    return router


async def _until_sent(lines: AsyncIterator[str], requests: AnswerRequests) -> AsyncIterator[str]:
    with requests.under_way():
        async for line in lines:
            yield line


def _read(messages: Sequence[ChatMessage]) -> tuple[str, tuple[Turn, ...]]:
    """Return the question and the turns before it."""
    last = max((index for index, message in enumerate(messages) if message.role == "user"), default=None)
    if last is None:
        message = "messages: there is no message of the role 'user', which would be the question."
        raise ApiError(400, invalid_request(message, "messages", "invalid_value"))
    turns = (
        Turn(role=message.role, content=text)
        for message in messages[:last]
        if message.role in ("user", "assistant") and (text := message.text())
    )
    return messages[last].text(), recent_turns(tuple(turns))


def _check_model(name: str) -> None:
    if name != MODEL:
        message = f"There is no model {name[:80]!r}: the only one is {MODEL!r}."
        raise ApiError(404, invalid_request(message, "model", "model_not_found"))


def _model(chatbot: Chatbot) -> Model:
    indexed_at = chatbot.overview().indexed_at
    return Model(created=int(indexed_at.timestamp()) if indexed_at else 0)


def _annotate(text: str, citations: Sequence[Citation], base_url: str, offset: int = 0) -> tuple[Annotation, ...]:
    """Return an annotation for each marker in a text that begins at `offset` of the message."""
    by_number = {citation.number: citation for citation in citations}
    return tuple(
        Annotation(
            url_citation=UrlCitation(
                start_index=offset + start,
                end_index=offset + end,
                title=by_number[number].title,
                url=base_url.rstrip("/") + citation_path(by_number[number]),
            )
        )
        for number, start, end in find_markers(text)
        if number in by_number
    )


class _ChatStream:
    """Turns the events of one answer into server-sent events; `usage` counts tokens if the caller asked for that."""

    def __init__(
        self, completion_id: str, created: int, base_url: str, usage: Callable[[Answer], Usage] | None
    ) -> None:
        self._head = {"id": completion_id, "object": "chat.completion.chunk", "created": created, "model": MODEL}
        self._base_url = base_url
        self._usage = usage
        self._written = ""

    async def lines(self, events: AsyncGenerator[Waiting | Event | None, None]) -> AsyncIterator[str]:
        """Yield the stream; a fault ends it with an error in place of the last chunk."""
        try:
            async with aclosing(events):
                yield self._chunk({"role": "assistant", "content": ""})
                async for event in events:
                    for line in self._render(event):
                        yield line
        except ApiError as error:
            yield _line(ErrorBody(error=error.details).model_dump())
        except FootnoteError as error:
            yield _line(ErrorBody(error=index_unavailable(error).details).model_dump())
        except Exception:  # the edge of the application: the log has the traceback, the caller a sentence
            logger.exception("an answer failed")
            yield _line(ErrorBody(error=internal_error()).model_dump())

    def _render(self, event: Waiting | Event | None) -> list[str]:
        match event:
            case None | Waiting():
                return [_HEARTBEAT]
            case StatementReady(statement, citations):
                space = " " if self._written else ""
                return [self._write(space + render_text((statement,)), citations)]
            case Finished(answer=answer):
                return self._finish(answer)
        return []

    def _write(self, words: str, citations: Sequence[Citation]) -> str:
        annotations = _annotate(words, citations, self._base_url, offset=len(self._written))
        self._written += words
        shown = [annotation.model_dump() for annotation in annotations]
        return self._chunk({"content": words, **({"annotations": shown} if shown else {})})

    def _finish(self, answer: Answer) -> list[str]:
        lines = [] if self._written else [self._write(answer.text, answer.citations)]
        lines.append(self._chunk({}, finish_reason="stop", footnote=answer.model_dump(mode="json")))
        if self._usage is not None:
            lines.append(_line({**self._head, "choices": [], "usage": self._usage(answer).model_dump()}))
        return [*lines, _DONE]

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason, "logprobs": None}
        usage = {"usage": None} if self._usage is not None else {}
        return _line({**self._head, "choices": [choice], **usage, **more})


def _line(value: dict[str, Any]) -> str:
    return f"data: {json.dumps(value)}\n\n"
