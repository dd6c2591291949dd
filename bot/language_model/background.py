"""An event loop in a thread of its own, so that a caller that blocks can give up at any moment."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import queue
import threading
from collections.abc import AsyncGenerator, Coroutine, Iterator
from typing import Any, TypeVar

from bot.language_model import CancelledError

T = TypeVar("T")

# How soon a caller notices that its reader has left, in seconds.
_POLL = 0.05
_CLOSING = 5.0


class _End:
    """Stands in the queue for the end of a stream."""


class BackgroundLoop:
    """Runs coroutines for blocking callers. A caller that leaves cancels its coroutine, which closes its connection."""

    def __init__(self, name: str) -> None:
        """Start the thread."""
        self._lock = threading.Lock()
        self._closed = False
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], cancel: threading.Event | None = None) -> T:
        """Return what the coroutine returns.

        Raises:
            CancelledError: `cancel` was set, or the loop was closed.
        """
        future = self._submit(coroutine)
        try:
            while not concurrent.futures.wait([future], timeout=_POLL).done:
                _check(cancel)
            return _result(future)
        finally:
            future.cancel()

    def iterate(self, stream: AsyncGenerator[T, None], cancel: threading.Event | None = None) -> Iterator[T]:
        """Yield what the stream yields, as it comes.

        Raises:
            CancelledError: `cancel` was set, or the loop was closed.
        """
        pieces: queue.SimpleQueue[T | _End] = queue.SimpleQueue()

        async def pump() -> None:
            try:
                async with contextlib.aclosing(stream):
                    async for piece in stream:
                        pieces.put(piece)
            finally:
                pieces.put(_End())

        future = self._submit(pump())
        try:
            while True:
                _check(cancel)
                try:
                    piece = pieces.get(timeout=_POLL)
                except queue.Empty:
                    # A task that is cancelled before its first step never says that it ended.
                    if future.done() and pieces.empty():
                        break
                    continue
                if isinstance(piece, _End):
                    break
                yield piece
            _result(future)
        finally:
            future.cancel()

    def close(self, farewell: Coroutine[Any, Any, None]) -> None:
        """Cancel what runs, run `farewell` last, and end the thread. Closing twice is no error."""
        with self._lock:
            if self._closed:
                farewell.close()
                return
            self._closed = True
            ending = asyncio.run_coroutine_threadsafe(_end_with(farewell), self._loop)
        with contextlib.suppress(TimeoutError):
            ending.result(_CLOSING)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(_CLOSING)

    def _submit(self, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
        with self._lock:
            if self._closed:
                coroutine.close()
                raise CancelledError
            return asyncio.run_coroutine_threadsafe(coroutine, self._loop)


def _check(cancel: threading.Event | None) -> None:
    if cancel is not None and cancel.is_set():
        raise CancelledError


def _result(future: concurrent.futures.Future[T]) -> T:
    try:
        return future.result()
    except concurrent.futures.CancelledError:
        raise CancelledError from None


async def _end_with(farewell: Coroutine[Any, Any, None]) -> None:
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for task in others:
        task.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    await asyncio.get_running_loop().shutdown_asyncgens()
    await farewell
