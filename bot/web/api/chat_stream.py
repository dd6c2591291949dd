"""Footnotes in the form of OpenAI's `url_citation`: where the marker stands, and a link that opens the place.

An answer as OpenAI streams it: verified statements as they are ready, the Answer object at the end.
"""

from __future__ import annotations

import json
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any

from bot.answer.answer import Answer, Citation, find_markers, render_text
from bot.answer.events import Event, Finished, StatementReady
from bot.web.answer_service import Waiting
from bot.web.api.chat_models import MODEL, Annotation, UrlCitation, Usage
from bot.web.api.errors import ApiError, ErrorBody, fault, unavailable
from bot.web.page.links import citation_path
from index.errors import FootnoteError


def annotate(text: str, citations: Sequence[Citation], base_url: str, offset: int = 0) -> tuple[Annotation, ...]:
    """Return an annotation for each marker in a text.

    Args:
        text: The text, or a piece of one.
        citations: What its markers refer to.
        base_url: Address that the links begin with.
        offset: Where the piece begins in the whole text.
    """
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


logger = logging.getLogger(__name__)

_SILENCE = ": waiting\n\n"  # a comment, which clients pass over
_DONE = "data: [DONE]\n\n"


class ChatStream:
    """Turns the events of one answer into the lines of a stream.

    Args:
        completion_id: The id of every chunk.
        created: Unix time of every chunk.
        base_url: Address that links to sources begin with.
        usage: Counts an answer where the caller asked for that, else None.
    """

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
            yield _line(ErrorBody(error=unavailable(error).details).model_dump())
        except Exception:  # the edge of the application: the log has the traceback, the caller a sentence
            logger.exception("an answer failed")
            yield _line(ErrorBody(error=fault()).model_dump())

    def _render(self, event: Waiting | Event | None) -> list[str]:
        match event:
            case None | Waiting():
                return [_SILENCE]
            case StatementReady(statement, citations):
                space = " " if self._written else ""
                return [self._write(space + render_text((statement,)), citations)]
            case Finished(answer=answer):
                return self._finish(answer)
        return []

    def _write(self, words: str, citations: Sequence[Citation]) -> str:
        annotations = annotate(words, citations, self._base_url, offset=len(self._written))
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
