"""First come, first served: how many questions are worked on at once, and who is next.

All of it runs in the server's event loop, so nothing needs a lock.
"""

from __future__ import annotations

import asyncio
from collections import deque

Place = asyncio.Future[None]


class LineFullError(Exception):
    """So many readers are waiting that one more would wait too long."""


class WaitingLine:
    """Hands out a fixed number of places in the order readers came.

    Args:
        places: How many questions are worked on at once.
        longest: How many readers may wait.
    """

    def __init__(self, places: int, longest: int) -> None:
        self._free = places
        self._longest = longest
        self._waiting: deque[Place] = deque()

    def join(self) -> Place:
        """Return a place; it is done when the reader's turn has come.

        Raises:
            LineFullError: Too many are waiting.
        """
        place: Place = asyncio.get_running_loop().create_future()
        if self._free:
            self._free -= 1
            place.set_result(None)
        elif len(self._waiting) < self._longest:
            self._waiting.append(place)
        else:
            raise LineFullError
        return place

    def position(self, place: Place) -> int:
        """Return how many turns until this one, from 1; 0 when it has come."""
        return self._waiting.index(place) + 1 if place in self._waiting else 0

    def leave(self, place: Place) -> None:
        """Give the place back, wherever it is in the line."""
        if place in self._waiting:
            self._waiting.remove(place)
        elif self._waiting:
            self._waiting.popleft().set_result(None)
        else:
            self._free += 1
