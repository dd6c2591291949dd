"""Questions of programs: in one line with those of readers, and given up when the program has left."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from uuid import uuid4

from fastapi import Request

from bot.answer import Answer
from bot.chatbot import Chatbot
from bot.conversation import Turn
from bot.events import Event, Finished
from bot.records.answers import AnswerRecords, Origin
from bot.records.keep import keep
from bot.web.api.errors import ApiError, ErrorDetails
from bot.web.asking import Asking
from bot.web.line import LineFullError
from bot.web.thread_stream import HEARTBEAT_SECONDS, ThreadStream


class Turns:
    """Has questions answered.

    Args:
        chatbot: Answers.
        asking: Answers readers; programs stand in the same line and use the same threads.
        records: Where answers are kept.
    """

    def __init__(self, chatbot: Chatbot, asking: Asking, records: AnswerRecords) -> None:
        self._chatbot = chatbot
        self._asking = asking
        self._records = records

    async def events(self, caller: str, question: str, history: Sequence[Turn]) -> AsyncGenerator[Event | None, None]:
        """Yield None once the question stands in line, then what the chatbot does; None for every silence.

        Args:
            caller: Who asks, for the record.
            question: As it came.
            history: The turns before it, oldest first.

        Raises:
            ApiError: The line is full.
            FootnoteError: The index cannot be used.
        """
        line = self._asking.line
        try:
            place = line.join()
        except LineFullError as error:
            details = ErrorDetails(
                message="Too many questions are waiting: ask again in a minute.", type="server_error", code="line_full"
            )
            raise ApiError(503, details, {"Retry-After": "30"}) from error
        stream: ThreadStream[Event] | None = None
        try:
            yield None
            while not place.done():
                await asyncio.wait({place}, timeout=HEARTBEAT_SECONDS)
                yield None
            stream = ThreadStream(
                lambda left: self._chatbot.stream(question, history, question_id=uuid4().hex, cancel=left),
                self._asking.pool,
                lambda: line.leave(place),
            )
            async for event in stream.read():
                if isinstance(event, Finished):
                    origin = Origin("api", visitor=caller)
                    await asyncio.to_thread(keep, self._records, self._chatbot.settings, event, origin, history)
                yield event
        finally:
            if stream is None:
                line.leave(place)
            else:
                stream.leave()

    async def answer(self, request: Request, question: str, history: Sequence[Turn] = ()) -> Answer:
        """Return the answer to a caller whom the door has let in.

        Raises:
            ApiError: The line is full, or the caller has left.
            FootnoteError: The index cannot be used.
        """
        async with aclosing(self.events(request.state.caller, question, history)) as events:
            async for event in events:
                if isinstance(event, Finished):
                    return event.answer
                if event is None and await request.is_disconnected():
                    break
        raise ApiError(499, ErrorDetails(message="The caller has left.", type="server_error"))
