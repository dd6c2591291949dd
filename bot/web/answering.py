"""The questions of readers and programs: a few are worked on at once, the others wait in one fair line.

The chatbot works in a thread; who asked hears something at once and at least twice a second, so that one who stops or
leaves is noticed while nothing is ready yet.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from uuid import uuid4

from bot.chatbot import Chatbot
from bot.conversation import Turn
from bot.events import Event, Finished
from bot.records.answers import AnswerRecords, Origin
from bot.records.keep import keep
from bot.web.line import WaitingLine
from bot.web.memory import give_back
from bot.web.thread_stream import HEARTBEAT_SECONDS, ThreadStream

ANSWERS_AT_ONCE = 4
# A question spends seconds waiting for a server, and a tenth of one here.
ANSWERS_AT_ONCE_REMOTE = 16
LONGEST_LINE = 40
LONGEST_LINE_OF_ONE = 8
# Together less than the five seconds in which a reader is to learn that a stop interrupted the answer.
_GRACE_SECONDS = 3.0
_FAREWELL_SECONDS = 1.0
_POLL_SECONDS = 0.05
# Memory is given back after so many answers.
_TIDIED_EVERY = 100


class BrokenOffError(Exception):
    """The server stops before the answer is ready."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """The question stands in line, so many turns from its own; at 0 it is being answered."""

    position: int


class Answering:
    """Has the chatbot answer, and puts what it answered on record.

    Attributes:
        stopping: Whether no question is to be taken any more.
    """

    def __init__(self, chatbot: Chatbot, records: AnswerRecords) -> None:
        self._chatbot = chatbot
        settings = chatbot.settings
        usual = ANSWERS_AT_ONCE_REMOTE if settings.answerer == "remote" else ANSWERS_AT_ONCE
        places = settings.answers_at_once or usual
        self._records = records
        self._line = WaitingLine(places, LONGEST_LINE, LONGEST_LINE_OF_ONE)
        self._pool = ThreadPoolExecutor(places, thread_name_prefix="answer")
        self._under_way = 0
        self._answered = 0
        self._broken_off = False
        self.stopping = False

    def count(self) -> tuple[int, int]:
        """Return how many questions are under way, and how many of these wait for their turn."""
        return self._under_way, self._line.waiting()

    @property
    def free_places(self) -> int:
        """How many more questions could be worked on now."""
        return self._line.free

    async def stop(self) -> None:
        """Take no more questions, give those being answered a moment, then tell who asked the others."""
        self.stopping = True
        await self._until_idle(_GRACE_SECONDS)
        self._broken_off = True
        await self._until_idle(_FAREWELL_SECONDS)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Have a stop wait until whoever asked has been told how it ended."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def events(
        self, question: str, history: Sequence[Turn], origin: Origin, caller: str
    ) -> AsyncGenerator[Waiting | Event | None, None]:
        """Yield where the question stands in line until its turn has come, then what the chatbot does.

        None is yielded for every half second of silence.

        Args:
            question: As typed.
            history: The turns before it, oldest first.
            origin: Whose answer it is, for the record.
            caller: Where the question comes from: one caller does not keep the others waiting.

        Raises:
            LineFullError: Too many are waiting.
            OwnLineFullError: Too many questions of this caller are waiting.
            BrokenOffError: The server stops.
            FootnoteError: The index cannot be used.
        """
        place = self._line.join(caller)
        stream: ThreadStream[Event] | None = None
        try:
            while not place.done():
                yield Waiting(self._line.position(place))
                await asyncio.wait({place.turn}, timeout=HEARTBEAT_SECONDS)
                self._check()
            yield Waiting(0)
            stream = ThreadStream(
                lambda left: self._chatbot.stream(question, history, question_id=uuid4().hex, cancel=left),
                self._pool,
                lambda: self._line.leave(place),
            )
            async for event in stream.read():
                self._check()
                if isinstance(event, Finished):
                    await asyncio.to_thread(keep, self._records, self._chatbot.settings, event, origin, history)
                    await self._tidy()
                yield event
        finally:
            if stream is None:
                self._line.leave(place)
            else:
                stream.leave()

    async def _tidy(self) -> None:
        self._answered += 1
        if self._answered % _TIDIED_EVERY == 0:
            await asyncio.to_thread(give_back)

    def _check(self) -> None:
        if self._broken_off:
            raise BrokenOffError

    async def _until_idle(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._under_way:
                    await asyncio.sleep(_POLL_SECONDS)
