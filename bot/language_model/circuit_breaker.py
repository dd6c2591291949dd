"""A circuit breaker: after some failures in a row nobody waits for a broken service; one caller at a time probes it."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from bot.language_model import CancelledError, ModelUnavailableError, RequestRefusedError
from bot.language_model.session import is_over


class CircuitBreaker:
    """Counts failures in a row. Closed, calls go through; open, none does until `pause` has passed, then one probe.

    Calls of several kinds are counted apart: one kind that works does not make up for another that never does. Every
    call that `start` lets through must end with one of `succeeded`, `failed` and `abandoned`.
    """

    def __init__(self, *, failures: int = 3, pause: float = 20.0, clock: Callable[[], float] = time.monotonic) -> None:
        """Start closed.

        Args:
            failures: How many in a row open it.
            pause: Seconds before a probe, counted from the last failure.
            clock: Seconds that only grow.
        """
        self._limit = failures
        self._pause = pause
        self._clock = clock
        self._lock = threading.Lock()
        self._failures: Counter[str] = Counter()
        self._probe_at = 0.0
        self._probing = False

    def allows(self) -> bool:
        """Return whether a call would go through now, without taking the probe."""
        with self._lock:
            return self._allows()

    def start(self) -> bool:
        """Return whether the caller may go on; where the breaker is open, the caller is then the probe."""
        with self._lock:
            if not self._allows():
                return False
            self._probing = self._is_open()
            return True

    def succeeded(self, kind: str = "") -> None:
        """Close, unless calls of another kind fail: the service works."""
        with self._lock:
            del self._failures[kind]
            self._probing = False

    def failed(self, kind: str = "") -> None:
        """Count a failure, and open or stay open where it was one too many."""
        with self._lock:
            self._failures[kind] += 1
            self._probing = False
            self._probe_at = self._clock() + self._pause

    def abandoned(self) -> None:
        """Count nothing: the caller left before the outcome was known, so the next one may probe."""
        with self._lock:
            self._probing = False

    @contextmanager
    def guard(self, kind: str, cancel: threading.Event | None, resting: str) -> Iterator[None]:
        """Run a call, and count how it ends. A reader who leaves, and a request that is itself at fault, do not count.

        Args:
            kind: Calls of several kinds are counted apart.
            cancel: The call's; one that took longer than a reader waits is a failure.
            resting: What to say while no call goes through.

        Raises:
            ModelUnavailableError: No call goes through now.
        """
        if not self.start():
            raise ModelUnavailableError(resting)
        outcome: Callable[[], None] = self.abandoned
        try:
            yield
            outcome = partial(self.succeeded, kind)
        except CancelledError:
            if is_over(cancel):
                outcome = partial(self.failed, kind)
            raise
        except ModelUnavailableError as error:
            if not isinstance(error, RequestRefusedError):
                outcome = partial(self.failed, kind)
            raise
        finally:
            outcome()

    def _is_open(self) -> bool:
        return max(self._failures.values(), default=0) >= self._limit

    def _allows(self) -> bool:
        return not self._is_open() or (not self._probing and self._clock() >= self._probe_at)
