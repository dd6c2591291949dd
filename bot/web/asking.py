"""From a question in the box to the parts of its answer on the page, as they become ready.

The chatbot works in a thread; the page gets something at once and at least twice a second, so that a reader who
stops or leaves is noticed while nothing is ready yet.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, suppress
from typing import Any, Literal
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from sqlalchemy.exc import SQLAlchemyError

from bot.chatbot import Chatbot
from bot.conversation import MAXIMUM_TURNS, Turn
from bot.events import Event, EvidenceFound, Finished, StatementReady, Understood
from bot.records.answers import AnswerRecords, Origin
from bot.web import render
from bot.web.language import Texts, choose_language
from bot.web.line import LineFullError, OwnLineFullError, Place, WaitingLine
from bot.web.thread_stream import HEARTBEAT_SECONDS, ThreadStream
from index.errors import FootnoteError

ANSWERS_AT_ONCE = 4
# A question spends seconds waiting for a server, and a tenth of one here.
ANSWERS_AT_ONCE_REMOTE = 16
LONGEST_LINE = 40
LONGEST_LINE_OF_ONE = 8
# Together less than the five seconds in which a reader is to learn that a stop interrupted the answer.
_GRACE_SECONDS = 3.0
_FAREWELL_SECONDS = 1.0
_POLL_SECONDS = 0.05

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
        stopping: Whether no question is to be taken any more.
        under_way: How many questions are being answered or waiting.
    """

    def __init__(self, chatbot: Chatbot, records: AnswerRecords) -> None:
        self._chatbot = chatbot
        settings = chatbot.settings
        usual = ANSWERS_AT_ONCE_REMOTE if settings.answerer == "remote" else ANSWERS_AT_ONCE
        places = settings.answers_at_once or usual
        self._records = records
        self._line = WaitingLine(places, LONGEST_LINE, LONGEST_LINE_OF_ONE)
        self._pool = ThreadPoolExecutor(places, thread_name_prefix="answer")
        self.under_way = 0
        self._broken_off = False
        self.stopping = False

    def count(self) -> tuple[int, int]:
        """Return how many questions are under way, and how many of these wait for their turn."""
        return self.under_way, self._line.waiting()

    @property
    def free_places(self) -> int:
        """How many more questions could be worked on now."""
        return self._line.free

    async def stop(self) -> None:
        """Take no more questions, give those being answered a moment, then tell the readers of the others."""
        self.stopping = True
        await self._until_idle(_GRACE_SECONDS)
        self._broken_off = True
        await self._until_idle(_FAREWELL_SECONDS)

    async def ask(self, question: str, request: object, visitor: str = "", caller: str = "") -> AsyncIterator[Part]:
        """Yield what the page should show so far: the `turn` it belongs to, and all `parts` up to now.

        Each value holds everything that came before, so the page loses nothing when it skips one.

        Args:
            question: As typed.
            request: What the page sent with it, unchecked.
            visitor: Whose answer it is, for the record.
            caller: Where the question comes from: one caller does not keep the others waiting.
        """
        if not question.strip():
            return
        try:
            asked = AskRequest.model_validate(request)
        except ValidationError:
            logger.warning("a question came with an unusable request and is not answered")
            yield _unusable(request)
            return
        parts: list[Part] = []
        self.under_way += 1
        try:
            async with aclosing(
                self._parts(question, asked, choose_language(asked.language), visitor, caller)
            ) as arriving:
                async for part in arriving:
                    if part is not None:
                        parts.append(part)
                    yield {"turn": asked.turn, "parts": list(parts)}
        finally:
            self.under_way -= 1

    async def _until_idle(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self.under_way:
                    await asyncio.sleep(_POLL_SECONDS)

    async def _parts(
        self, question: str, asked: AskRequest, texts: Texts, visitor: str, caller: str
    ) -> AsyncGenerator[Part | None, None]:
        try:
            place = self._line.join(caller)
        except LineFullError:
            yield _fault(texts("line_full"), texts)
            return
        except OwnLineFullError:
            yield _fault(texts("own_line_full", count=LONGEST_LINE_OF_ONE), texts)
            return
        stream: ThreadStream[Event] | None = None
        try:
            async for waiting in self._wait(place, texts):
                yield waiting
            yield _status(texts("searching"), texts)
            stream = ThreadStream(
                lambda left: self._chatbot.stream(question, asked.history, question_id=uuid4().hex, cancel=left),
                self._pool,
                lambda: self._line.leave(place),
            )
            async for event in stream.read():
                if self._broken_off:
                    yield _fault(texts("stopping"), texts)
                    return
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
                self._line.leave(place)
            else:
                stream.leave()

    def _record(self, finished: Finished, asked: AskRequest, visitor: str) -> None:
        if not self._chatbot.settings.keep_answers:
            return
        try:
            origin = Origin("page", asked.conversation, visitor)
            self._records.record(finished.answer, origin, asked.history, finished.trail)
        except (FootnoteError, SQLAlchemyError) as error:  # a reader's answer does not wait for a full disk
            logger.warning("an answer could not be put on record: %s", type(error).__name__)

    async def _wait(self, place: Place, texts: Texts) -> AsyncIterator[Part]:
        """Say where in the line a place is until its turn has come, often enough to notice who leaves."""
        while not place.done():
            yield _status(texts("waiting", position=self._line.position(place)), texts)
            await asyncio.wait({place.turn}, timeout=HEARTBEAT_SECONDS)

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


def _unusable(request: object) -> Part:
    """Return a fault for a request that says so little that only its turn and language may be read."""
    said = {key: value for key, value in request.items() if isinstance(value, str)} if isinstance(request, dict) else {}
    texts = choose_language(said.get("language"))
    return {"turn": said.get("turn", "")[:64], "parts": [_fault(texts("unusable"), texts)]}


def _status(words: str, texts: Texts) -> Part:
    return {"slot": "status", "html": render.render_status(words, texts)}


def _fault(words: str, texts: Texts) -> Part:
    return {"slot": "fault", "html": render.render_fault(words, texts)}
