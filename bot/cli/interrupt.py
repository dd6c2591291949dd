"""Ctrl-C that is not lost."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interruption:
    """Whether Ctrl-C was pressed."""

    def __init__(self) -> None:
        self._came = False

    def note(self, number: int, frame: FrameType | None) -> None:
        """Handle the signal as Python does, and remember it."""
        self._came = True
        signal.default_int_handler(number, frame)

    def check(self) -> None:
        """Raise KeyboardInterrupt where Ctrl-C was pressed and the exception was swallowed on its way."""
        if self._came:
            raise KeyboardInterrupt


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Remember Ctrl-C while a long command runs, which is to call `check` now and then.

    An exception that arises while a compiled module is imported, or in a callback of one, does not always get out.
    """
    interruption = Interruption()
    previous = signal.signal(signal.SIGINT, interruption.note)
    try:
        yield interruption
    finally:
        signal.signal(signal.SIGINT, previous)
