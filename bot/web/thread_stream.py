"""A blocking iterator run in a thread and read from the event loop, with a heartbeat while it is silent."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Executor
from contextlib import closing
from typing import Any, Generic, TypeVar

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
