"""A fair line: how many questions are worked on at once, and who is next when one caller asks more than the others.

Start-time fair queueing (Goyal, Vin and Cheng, 1996), with every question as long as the others: a question is due one
turn after its caller's one before, or at once where there is none. All of it runs in the server's event loop, so
nothing needs a lock.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field


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
