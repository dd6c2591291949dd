"""One question on its way through: what is known so far, and who helps to answer it."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from bot.answer.trace import Place
from bot.language_model import ModelUnavailableError
from bot.language_model.session import Consultation
from bot.stages.question.follow_up import Understanding
from index.document import RetrievedChunk

Value = TypeVar("Value")

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Stage:
    """When one stage of an answer began and ended, in nanoseconds since 1970."""

    name: str
    begin: int
    end: int


@dataclass(slots=True)
class Inquiry:
    """One question, its understanding, what it retrieved, and how long each stage took.

    Attributes:
        threshold: The confidence below which it is refused.
        exchanges: What the conversation was about before.
        consultation: The language model, or None where the answer is made without one or it has failed.
        selected: Places of the sentences that were judged.
        drafts: What was written, before it was verified.
        dropped: The drafts that failed.
        disagreements: How many statements were added because sources disagree.
    """

    question_id: str
    question: str
    understanding: Understanding
    threshold: float
    exchanges: tuple[str, ...] = ()
    consultation: Consultation | None = None
    retrieved: list[RetrievedChunk] = field(default_factory=list)
    selected: tuple[Place, ...] = ()
    drafts: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    disagreements: int = 0
    timings: dict[str, float] = field(default_factory=dict)
    stages: list[Stage] = field(default_factory=list)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        """Add the time spent inside to a stage, in milliseconds."""
        begin, began_at = time.perf_counter(), time.time_ns()
        try:
            yield
        finally:
            self.timings[stage] = round(self.timings.get(stage, 0.0) + 1000 * (time.perf_counter() - begin), 1)
            self.stages.append(Stage(stage, began_at, time.time_ns()))

    def consult(self, ask: Callable[[Consultation], Value], otherwise: Value) -> Value:
        """Return what the model says, or `otherwise` without one. A model that fails is not asked again here."""
        if self.consultation is None:
            return otherwise
        try:
            return ask(self.consultation)
        except ModelUnavailableError as error:
            logger.warning("answering without the language model: %s", error)
            self.consultation = None
            return otherwise

    def timings_ms(self) -> dict[str, float]:
        """Return the stages and the total so far, in milliseconds."""
        return {**self.timings, "total": round(1000 * (time.perf_counter() - self.started), 1)}
