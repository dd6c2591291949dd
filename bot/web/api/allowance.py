"""How many requests a minute a caller may still make: a bucket of them that fills evenly."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

_MOST_CALLERS = 10_000
_MINUTE = 60.0


class Allowance:
    """Counts the requests of callers. Safe under threads.

    Args:
        clock: Seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, caller: str, per_minute: int) -> float:
        """Take one request from a caller's bucket; return 0, or after how many seconds there will be one."""
        now = self._clock()
        with self._lock:
            left, filled_at = self._buckets.pop(caller, (float(per_minute), now))
            left = min(per_minute, left + (now - filled_at) * per_minute / _MINUTE)
            granted = left >= 1
            # The caller that was longest away is the first to be forgotten.
            self._buckets[caller] = (left - granted, now)
            if len(self._buckets) > _MOST_CALLERS:
                del self._buckets[next(iter(self._buckets))]
        return 0.0 if granted else (1 - left) * _MINUTE / per_minute
