"""From a question in the box to the parts of its answer on the page, as they become ready.

The chatbot works in a thread; the page gets something at once and at least twice a second, so that a reader who
stops or leaves is noticed while nothing is ready yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.chatbot import Chatbot
from bot.conversation import MAXIMUM_TURNS, Turn
from bot.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.records.answers import AnswerRecords, Origin
from bot.records.keep import keep
from bot.web import render
from bot.web.language import Texts, choose_language
from bot.web.line import LineFullError, Place, WaitingLine
from bot.web.thread_stream import HEARTBEAT_SECONDS, ThreadStream
from index.errors import FootnoteError

ANSWERS_AT_ONCE = 4
LONGEST_LINE = 40

logger = logging.getLogger(__name__)

Part = dict[str, Any]


class AskRequest(BaseModel):
    """What the page sends with a question. It comes from a browser, so it is checked and bounded."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    turn: str = Field(max_length=64)
    language: Literal["en", "zh-Hant", "zh-Hans"] = "en"
    conversation: str = Field(default="", max_length=64)
    history: tuple[Turn, ...] = Field(default=(), max_length=2 * MAXIMUM_TURNS)


class Asking:
    """Answers the questions of all readers: a few at once, the others in line; what was answered is put on record.

    Attributes:
        line: Where they wait; programs stand in it too.
        pool: Threads that answer, one for each place.
    """

    def __init__(self, chatbot: Chatbot, records: AnswerRecords) -> None:
        self._chatbot = chatbot
        self._records = records
        self.line = WaitingLine(ANSWERS_AT_ONCE, LONGEST_LINE)
        self.pool = ThreadPoolExecutor(ANSWERS_AT_ONCE, thread_name_prefix="answer")

    async def ask(self, question: str, request: object, visitor: str = "") -> AsyncIterator[Part]:
        """Yield what the page should show so far: the `turn` it belongs to, and all `parts` up to now.

        Each value holds everything that came before, so the page loses nothing when it skips one.
        """
        if not question.strip():
            return
        try:
            asked = AskRequest.model_validate(request)
        except ValidationError:
            logger.warning("a question came with an unusable request and is not answered")
            return
        parts: list[Part] = []
        async with aclosing(self._parts(question, asked, choose_language(asked.language), visitor)) as arriving:
            async for part in arriving:
                if part is not None:
                    parts.append(part)
                yield {"turn": asked.turn, "parts": list(parts)}

    async def _parts(
        self, question: str, asked: AskRequest, texts: Texts, visitor: str
    ) -> AsyncGenerator[Part | None, None]:
        try:
            place = self.line.join()
        except LineFullError:
            yield _fault(texts("line_full"), texts)
            return
        stream: ThreadStream[Event] | None = None
        try:
            async for waiting in self._wait(place, texts):
                yield waiting
            yield _status(texts("searching"), texts)
            stream = ThreadStream(
                lambda left: self._chatbot.stream(question, asked.history, question_id=uuid4().hex, cancel=left),
                self.pool,
                lambda: self.line.leave(place),
            )
            async for event in stream.read():
                if isinstance(event, Finished):
                    await asyncio.to_thread(self._record, event, asked, visitor)
                for part in self._render(event, texts):
                    yield part
        except FootnoteError as error:
            yield _fault(str(error), texts)
        except Exception:  # the edge of the application: the log has the traceback, the reader a sentence
            logger.exception("an answer failed")
            yield _fault(texts("fault"), texts)
        finally:
            if stream is None:
                self.line.leave(place)
            else:
                stream.leave()

    def _record(self, finished: Finished, asked: AskRequest, visitor: str) -> None:
        origin = Origin("page", asked.conversation, visitor)
        keep(self._records, self._chatbot.settings, finished, origin, asked.history)

    async def _wait(self, place: Place, texts: Texts) -> AsyncIterator[Part]:
        while not place.done():
            yield _status(texts("waiting", position=self.line.position(place)), texts)
            await asyncio.wait({place}, timeout=4 * HEARTBEAT_SECONDS)

    def _render(self, event: Event | None, texts: Texts) -> Iterator[Part | None]:
        match event:
            case None:
                yield None
            case Understood(standalone_question, changed):
                if changed:
                    yield {"slot": "understood", "html": render.render_understood(standalone_question, texts)}
            case EvidenceFound(passages):
                if passages:
                    yield _status(texts.count("reading", len(passages)), texts)
                    yield {"slot": "evidence", "html": render.render_evidence(passages, texts)}
            case StatementReady(statement, citations):
                yield {"slot": "statement", "html": render.render_statement(statement, citations, texts)}
            case Finished(answer=answer):
                html = render.render_answer(
                    answer, texts, render.title_lookup(self._chatbot), self._chatbot.settings.answerer
                )
                yield {"slot": "answer", "answer": answer.model_dump(mode="json"), **html}


def _status(words: str, texts: Texts) -> Part:
    return {"slot": "status", "html": render.render_status(words, texts)}


def _fault(words: str, texts: Texts) -> Part:
    return {"slot": "fault", "html": render.render_fault(words, texts)}
