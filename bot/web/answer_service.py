"""Gives memory that is free again back to the system.

The C library keeps what threads have freed, a little more with every thousand answers, because each of its arenas is
handed back from the top only (mallopt(3), M_TRIM_THRESHOLD). What Python holds stays as large as it was.

A blocking iterator run in a thread and read from the event loop, with a heartbeat while it is silent.

A fair line: how many questions are worked on at once, and who is next when one caller asks more than the others.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with every question as long as the others: a question is due one
turn after its caller's one before, or at once where there is none. All of it runs in the server's event loop, so
nothing needs a lock.

The questions of readers and programs: a few are worked on at once, the others wait in one fair line.

The chatbot works in a thread; who asked hears something at once and at least twice a second, so that one who stops or
leaves is noticed while nothing is ready yet.
"""

from __future__ import annotations

import asyncio
import ctypes
import threading
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar
from uuid import uuid4

from bot.answer.conversation import Turn
from bot.answer.events import Event, Finished
from bot.chatbot import Chatbot
from bot.storage.answers import AnswerRecords, Origin, keep

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone


def give_back() -> None:
    """Hand pages that hold nothing back, those in the middle of an arena too (malloc_trim(3)); a few milliseconds."""
    if _trim is not None:
        _trim(0)


Item = TypeVar("Item")

HEARTBEAT_SECONDS = 0.5


class ThreadStream(Generic[Item]):
    """Starts at once; ends after the item in hand when `leave` is called.

    Args:
        produce: Makes the iterator; runs in the thread. It is given an event that is set when reading ends, so that
            what blocks inside can end at once; a generator is closed then.
        pool: Where the thread comes from.
        on_end: Called in the event loop when the thread is free again, however it ended.
    """

    def __init__(
        self, produce: Callable[[threading.Event], Iterator[Item]], pool: Executor, on_end: Callable[[], None]
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._arrived: asyncio.Queue[tuple[Item] | None] = asyncio.Queue()
        self._left = threading.Event()
        self._on_end = on_end
        self._working = self._loop.run_in_executor(pool, self._work, produce)
        self._working.add_done_callback(self._end)

    def _work(self, produce: Callable[[threading.Event], Iterator[Item]]) -> None:
        items: Any = produce(self._left)
        with closing(items):
            for item in items:
                if self._left.is_set():
                    return
                self._loop.call_soon_threadsafe(self._arrived.put_nowait, (item,))

    def _end(self, working: asyncio.Future[None]) -> None:
        self._on_end()
        self._arrived.put_nowait(None)
        if self._left.is_set() and not working.cancelled():
            working.exception()  # nobody is left to hear of it

    async def read(self) -> AsyncIterator[Item | None]:
        """Yield the items as they arrive, and None for every half second without one.

        Raises:
            Exception: What the iterator raised.
        """
        while True:
            try:
                arrived = await asyncio.wait_for(self._arrived.get(), HEARTBEAT_SECONDS)
            except TimeoutError:
                yield None
                continue
            if arrived is None:
                break
            yield arrived[0]
        await self._working

    def leave(self) -> None:
        """Stop reading; the thread ends as soon as it notices."""
        self._left.set()


class LineFullError(Exception):
    """So many readers are waiting that one more would wait too long."""


class OwnLineFullError(Exception):
    """This caller has as many questions in line as one may have."""


@dataclass(eq=False, slots=True)
class Place:
    """A reader's place: in line until `turn` is done, then being answered until it is left.

    Attributes:
        due: When its turn is, counted in turns.
    """

    caller: str
    due: int
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    def done(self) -> bool:
        """Return whether the turn has come."""
        return self.turn.done()


class WaitingLine:
    """Hands out a fixed number of places: to those who are due first, of these to who came first.

    One caller, whatever they ask, has at most half of the places, so that somebody else finds one free.

    Args:
        places: How many questions are worked on at once.
        longest: How many may wait.
        longest_of_one: How many of one caller may wait.

    Attributes:
        free: How many places are free.
    """

    def __init__(self, places: int, longest: int, longest_of_one: int | None = None) -> None:
        self.free = places
        self._most_of_one = max(1, places // 2)
        self._longest = longest
        self._longest_of_one = longest if longest_of_one is None else longest_of_one
        self._waiting: list[Place] = []
        self._held: Counter[str] = Counter()
        self._now = 0

    def join(self, caller: str = "") -> Place:
        """Return a place; it is done when the reader's turn has come.

        Raises:
            LineFullError: Too many are waiting.
            OwnLineFullError: Too many of this caller's are waiting.
        """
        own = [place for place in self._waiting if place.caller == caller]
        due = own[-1].due + 1 if own else self._now + (caller in self._held)
        place = Place(caller, due)
        self._waiting.append(place)
        self._call_next()
        if not place.done() and (len(own) == self._longest_of_one or len(self._waiting) > self._longest):
            self._waiting.remove(place)
            raise OwnLineFullError if len(own) == self._longest_of_one else LineFullError
        return place

    def waiting(self) -> int:
        """Return how many wait for their turn."""
        return len(self._waiting)

    def position(self, place: Place) -> int:
        """Return how many turns until this one, from 1; 0 when it has come."""
        in_order = self._in_order()
        return in_order.index(place) + 1 if place in in_order else 0

    def leave(self, place: Place) -> None:
        """Give the place back, wherever it is in the line."""
        if place in self._waiting:
            self._waiting.remove(place)
            return
        self.free += 1
        self._held[place.caller] -= 1
        if not self._held[place.caller]:
            del self._held[place.caller]
        self._call_next()

    def _in_order(self) -> list[Place]:
        return sorted(self._waiting, key=lambda place: place.due)

    def _call_next(self) -> None:
        for place in self._in_order():
            if not self.free:
                return
            if self._held[place.caller] < self._most_of_one:
                self._waiting.remove(place)
                self._held[place.caller] += 1
                self.free -= 1
                self._now = max(self._now, place.due)
                place.turn.set_result(None)


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
