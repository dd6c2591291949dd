"""How long a reader waits for evidence and for the answer, over a set of any size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy

from bot.answer.conversation import Turn
from bot.answer.events import EvidenceFound, Finished
from bot.chatbot import Chatbot
from eval.report.json_file import JsonFile
from eval.run.origin import RunOrigin, read_origin

if TYPE_CHECKING:
    from eval.benchmarks.sets.public_set import CorpusQueries
    from eval.benchmarks.sets.set_run import Respondent


@dataclass(frozen=True, slots=True)
class WaitingTimes:
    """Milliseconds from the arrival of one question in the process.

    Attributes:
        evidence_ms: Until the evidence could be shown; None when there was none.
        answer_ms: Until the answer was complete.
        stages_ms: Of each stage.
    """

    evidence_ms: float | None
    answer_ms: float
    stages_ms: dict[str, float]


def time_question(chatbot: Chatbot, question: str, history: Sequence[Turn] = ()) -> WaitingTimes:
    """Ask a question and return how long each part of the answer took."""
    begin = time.perf_counter()
    evidence, finished = None, None
    for event in chatbot.stream(question, history):
        waited = 1000 * (time.perf_counter() - begin)
        if isinstance(event, EvidenceFound):
            evidence = waited
        elif isinstance(event, Finished):
            finished = WaitingTimes(evidence, waited, event.answer.timings_ms)
    assert finished is not None, "every answer ends with this event"
    return finished


class LatencyReport(JsonFile):
    """Waiting times in milliseconds, from the question's arrival in the process.

    Attributes:
        evidence_ms: Percentiles of the time until the evidence could be shown.
        answer_ms: Percentiles of the time until the answer was complete.
        stages_ms: Median of each stage.
        starter_ms: Percentiles of the starter's whole answers to the same questions, in the same run; empty when it was
            not asked.
    """

    dataset: str
    documents: int
    chunks: int
    questions: int
    evidence_ms: dict[str, float]
    answer_ms: dict[str, float]
    stages_ms: dict[str, float]
    starter_ms: dict[str, float]
    origin: RunOrigin

    def summary(self) -> str:
        """Return the report in a sentence."""
        return (
            f"{self.questions} questions over {self.chunks} chunks of {self.documents} documents: "
            f"evidence p50 {self.evidence_ms['p50']} ms, p95 {self.evidence_ms['p95']} ms; "
            f"answer p50 {self.answer_ms['p50']} ms, p95 {self.answer_ms['p95']} ms"
            + (f"; starter p50 {self.starter_ms['p50']} ms" if self.starter_ms else "")
        )


def measure_latency(
    dataset: CorpusQueries, chatbot: Chatbot, advance: Callable[[], None], starter: Respondent | None = None
) -> LatencyReport:
    """Ask each question once, one after another, after a first that is not counted, and return the waiting times.

    The starter, where there is one, is asked the same question right after the chatbot, so that whatever else the
    machine does slows both.
    """
    chatbot.warm_up()
    for first in dataset.queries[:1]:
        chatbot.ask(first.question, first.history)
    times: list[WaitingTimes] = []
    starter_ms: list[float] = []
    for query in dataset.queries:
        times.append(time_question(chatbot, query.question, query.history))
        if starter is not None:
            starter_ms.append(starter(query).timings_ms["total"])
        advance()
    stages: dict[str, list[float]] = {}
    for one in times:
        for stage, milliseconds in one.stages_ms.items():
            stages.setdefault(stage, []).append(milliseconds)
    overview = chatbot.overview()
    return LatencyReport(
        dataset=dataset.name,
        documents=len(overview.documents),
        chunks=overview.chunks,
        questions=len(dataset.queries),
        evidence_ms=_percentiles([one.evidence_ms for one in times if one.evidence_ms is not None]),
        answer_ms=_percentiles([one.answer_ms for one in times]),
        stages_ms={stage: round(float(numpy.median(values)), 1) for stage, values in stages.items()},
        starter_ms=_percentiles(starter_ms),
        origin=read_origin(),
    )


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(float(numpy.percentile(values, share)), 1) for share in (50, 95, 99)} if values else {}
