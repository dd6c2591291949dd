"""How long one question waits for a language model, whatever the model does meanwhile."""

from __future__ import annotations

import threading
import time


class Patience(threading.Event):
    """Is set once the reader has left or has waited long enough; given to a model in place of the reader's event.

    Args:
        left: Set when the reader has left.
        seconds: How long the reader waits, counted from now.
    """

    def __init__(self, left: threading.Event, seconds: float) -> None:
        super().__init__()
        self._left = left
        self._end = time.monotonic() + seconds

    def is_set(self) -> bool:
        """Return whether nobody waits any more."""
        return self._left.is_set() or time.monotonic() > self._end

    def is_over(self) -> bool:
        """Return whether there is a reader still, whose patience is over."""
        return self.is_set() and not self._left.is_set()


def is_over(cancel: threading.Event | None) -> bool:
    """Return whether a call was cancelled because it took too long, and not because the reader left."""
    return isinstance(cancel, Patience) and cancel.is_over()
