"""How long each stage of an answer took."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageTime:
    """When one stage of an answer began and ended, in nanoseconds since 1970."""

    name: str
    begin: int
    end: int


class Stopwatch:
    """Times the stages of one answer; a stage may be entered more than once, and its times are added up."""

    def __init__(self) -> None:
        self.stages: list[StageTime] = []
        self._started = time.perf_counter()
        self._spent: dict[str, float] = {}

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage."""
        begin, began_at = time.perf_counter(), time.time_ns()
        try:
            yield
        finally:
            self._spent[stage] = self._spent.get(stage, 0.0) + 1000 * (time.perf_counter() - begin)
            self.stages.append(StageTime(stage, began_at, time.time_ns()))

    def milliseconds(self) -> dict[str, float]:
        """Return the time spent in each stage, and `total` since the stopwatch was made, in milliseconds."""
        spent = {stage: round(milliseconds, 1) for stage, milliseconds in self._spent.items()}
        return {**spent, "total": round(1000 * (time.perf_counter() - self._started), 1)}
