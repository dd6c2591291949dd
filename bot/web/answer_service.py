"""The answer service: questions of readers and programs wait in one fair queue and are answered in threads.

Events reach the caller at least twice a second, so that a stop or a disconnect is noticed while nothing is ready yet.
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

ANSWERS_AT_ONCE = 4
# A question waits seconds for the remote model and needs a tenth of one here.
ANSWERS_AT_ONCE_REMOTE = 16
LONGEST_QUEUE = 40
LONGEST_QUEUE_OF_ONE = 8
HEARTBEAT_SECONDS = 0.5
# Together less than the five seconds within which a reader must be told that a stop interrupted the answer.
_GRACE_SECONDS = 3.0
_NOTICE_SECONDS = 1.0
_POLL_SECONDS = 0.05
# The GNU C library keeps memory that threads have freed, because it returns each arena from the top only (mallopt(3),
# M_TRIM_THRESHOLD); malloc_trim(3) returns the rest within milliseconds.
_ANSWERS_BETWEEN_TRIMS = 100
_malloc_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)

Item = TypeVar("Item")


class ThreadStream(Generic[Item]):
    """Runs a blocking iterator in a thread and reads it from the event loop. It starts at once.

    Args:
        produce: Makes the iterator; runs in the thread. Its argument is an event that is set when reading ends, so
            that blocking calls inside can end at once; a generator is closed then.
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
            working.exception()  # marks it as retrieved: no reader is left

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
        """Stop reading; the thread ends after the item in hand."""
        self._left.set()


class QueueFullError(Exception):
    """So many questions are waiting that one more would wait too long."""


class CallerQueueFullError(Exception):
    """This caller has as many questions in the queue as one may have."""


class ServerStoppingError(Exception):
    """The server stops before the answer is ready."""


@dataclass(eq=False, slots=True)
class Ticket:
    """A question in the queue: it waits until `turn` is done, then is answered until the ticket is returned.

    Attributes:
        due: Its virtual start time, counted in turns.
    """

    caller: str
    due: int
    turn: asyncio.Future[None] = field(default_factory=lambda: asyncio.get_running_loop().create_future())


class FairQueue:
    """Admits a fixed number of questions at once: callers with fewer recent questions go first, then first come.

    Start-time fair queueing (Goyal, Vin and Cheng, 1996) with questions of equal length: a question is due one turn
    after its caller's previous one, or at once if there is none. One caller occupies at most half of the slots, so
    that another finds one free. All of it runs in the server's event loop and needs no lock.

    Args:
        slots: How many questions are answered at once.
        longest: How many may wait.
        longest_of_one: How many of one caller may wait.

    Attributes:
        free: How many slots are free.
    """

    def __init__(self, slots: int, longest: int, longest_of_one: int | None = None) -> None:
        self.free = slots
        self._most_of_one = max(1, slots // 2)
        self._longest = longest
        self._longest_of_one = longest if longest_of_one is None else longest_of_one
        self._waiting: list[Ticket] = []
        self._admitted: Counter[str] = Counter()
        self._now = 0

    def join(self, caller: str = "") -> Ticket:
        """Return a ticket for a question; its `turn` is done once the question is admitted.

        Raises:
            QueueFullError: Too many are waiting.
            CallerQueueFullError: Too many of this caller's are waiting.
        """
        own = [ticket for ticket in self._waiting if ticket.caller == caller]
        due = own[-1].due + 1 if own else self._now + (caller in self._admitted)
        ticket = Ticket(caller, due)
        self._waiting.append(ticket)
        self._admit()
        if not ticket.turn.done() and (len(own) == self._longest_of_one or len(self._waiting) > self._longest):
            self._waiting.remove(ticket)
            raise CallerQueueFullError if len(own) == self._longest_of_one else QueueFullError
        return ticket

    def waiting(self) -> int:
        """Return how many questions wait."""
        return len(self._waiting)

    def position(self, ticket: Ticket) -> int:
        """Return how many turns until this one, from 1; 0 when it is admitted."""
        in_order = self._in_order()
        return in_order.index(ticket) + 1 if ticket in in_order else 0

    def leave(self, ticket: Ticket) -> None:
        """Return a ticket, whether it waits or is admitted."""
        if ticket in self._waiting:
            self._waiting.remove(ticket)
            return
        self.free += 1
        self._admitted[ticket.caller] -= 1
        if not self._admitted[ticket.caller]:
            del self._admitted[ticket.caller]
        self._admit()

    def _in_order(self) -> list[Ticket]:
        return sorted(self._waiting, key=lambda ticket: ticket.due)

    def _admit(self) -> None:
        for ticket in self._in_order():
            if not self.free:
                return
            if self._admitted[ticket.caller] < self._most_of_one:
                self._waiting.remove(ticket)
                self._admitted[ticket.caller] += 1
                self.free -= 1
                self._now = max(self._now, ticket.due)
                ticket.turn.set_result(None)


@dataclass(frozen=True, slots=True)
class Waiting:
    """The question is queued, `position` turns from its own; at 0 it is being answered."""

    position: int


class AnswerService:
    """Has the chatbot answer questions and records the answers.

    Attributes:
        stopping: Whether no more questions are accepted.
    """

    def __init__(self, chatbot: Chatbot, records: AnswerRecords) -> None:
        self._chatbot = chatbot
        settings = chatbot.settings
        usual = ANSWERS_AT_ONCE_REMOTE if settings.answerer == "remote" else ANSWERS_AT_ONCE
        slots = settings.answers_at_once or usual
        self._records = records
        self._queue = FairQueue(slots, LONGEST_QUEUE, LONGEST_QUEUE_OF_ONE)
        self._pool = ThreadPoolExecutor(slots, thread_name_prefix="answer")
        self._under_way = 0
        self._answered = 0
        self._interrupted = False
        self.stopping = False

    def count(self) -> tuple[int, int]:
        """Return how many questions are under way, and how many of these wait for their turn."""
        return self._under_way, self._queue.waiting()

    @property
    def free_slots(self) -> int:
        """How many more questions could be answered now."""
        return self._queue.free

    async def stop(self) -> None:
        """Accept no more questions, wait a moment for those being answered, then interrupt the others."""
        self.stopping = True
        await self._until_idle(_GRACE_SECONDS)
        self._interrupted = True
        await self._until_idle(_NOTICE_SECONDS)

    @contextmanager
    def under_way(self) -> Iterator[None]:
        """Have `stop` wait until the caller has been told how the question ended."""
        self._under_way += 1
        try:
            yield
        finally:
            self._under_way -= 1

    async def events(
        self, question: str, history: Sequence[Turn], origin: Origin, caller: str
    ) -> AsyncGenerator[Waiting | Event | None, None]:
        """Yield the question's position in the queue until its turn, then the chatbot's events.

        None is yielded for every half second of silence.

        Args:
            question: As typed.
            history: The turns before it, oldest first.
            origin: Whose answer it is, for the record.
            caller: Whom the queue is fair to: an address or an API key.

        Raises:
            QueueFullError: Too many are waiting.
            CallerQueueFullError: Too many questions of this caller are waiting.
            ServerStoppingError: The server stops.
            FootnoteError: The index cannot be used.
        """
        ticket = self._queue.join(caller)
        stream: ThreadStream[Event] | None = None
        try:
            while not ticket.turn.done():
                yield Waiting(self._queue.position(ticket))
                await asyncio.wait({ticket.turn}, timeout=HEARTBEAT_SECONDS)
                self._check()
            yield Waiting(0)
            stream = ThreadStream(
                lambda left: self._chatbot.stream(question, history, question_id=uuid4().hex, cancel=left),
                self._pool,
                lambda: self._queue.leave(ticket),
            )
            async for event in stream.read():
                self._check()
                if isinstance(event, Finished):
                    await asyncio.to_thread(keep, self._records, self._chatbot.settings, event, origin, history)
                    await self._trim_memory()
                yield event
        finally:
            if stream is None:
                self._queue.leave(ticket)
            else:
                stream.leave()

    async def _trim_memory(self) -> None:
        self._answered += 1
        if _malloc_trim is not None and self._answered % _ANSWERS_BETWEEN_TRIMS == 0:
            await asyncio.to_thread(_malloc_trim, 0)

    def _check(self) -> None:
        if self._interrupted:
            raise ServerStoppingError

    async def _until_idle(self, seconds: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while self._under_way:
                    await asyncio.sleep(_POLL_SECONDS)
