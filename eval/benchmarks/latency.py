"""How long a reader waits for evidence and for the answer, over a set of any size."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import numpy as np
from pydantic import BaseModel, ConfigDict

from bot.answer.events import EvidenceFound, Finished
from bot.chatbot import Chatbot
from eval.benchmarks.dataset import Query
from eval.benchmarks.sets.respondent import Respondent
from eval.run.origin import RunOrigin, read_origin


class LatencyReport(BaseModel):
    """Waiting times in milliseconds, from the question's arrival in the process.

    Attributes:
        evidence_ms: Percentiles of the time until the evidence could be shown.
        answer_ms: Percentiles of the time until the answer was whole.
        stages_ms: Median of each stage.
        starter_ms: Percentiles of the starter's whole answers to the same questions, in the same run; empty when it was
            not asked.
    """

    model_config = ConfigDict(frozen=True)

    dataset: str
    documents: int
    chunks: int
    questions: int
    evidence_ms: dict[str, float]
    answer_ms: dict[str, float]
    stages_ms: dict[str, float]
    starter_ms: dict[str, float]
    origin: RunOrigin


def measure_latency(
    dataset: str,
    chatbot: Chatbot,
    queries: Sequence[Query],
    advance: Callable[[], None],
    starter: Respondent | None = None,
) -> LatencyReport:
    """Ask each question once, one after another, after a first that is not counted, and return the waiting times.

    The starter, where there is one, is asked the same question right after the chatbot, so that whatever else the
    machine does slows both.
    """
    chatbot.warm_up()
    if queries:
        chatbot.ask(queries[0].question, queries[0].history)
    evidence, whole, other = [], [], []
    stages: dict[str, list[float]] = {}
    for query in queries:
        begin = time.perf_counter()
        for event in chatbot.stream(query.question, query.history):
            if isinstance(event, EvidenceFound):
                evidence.append(1000 * (time.perf_counter() - begin))
            elif isinstance(event, Finished):
                whole.append(1000 * (time.perf_counter() - begin))
                for stage, milliseconds in event.answer.timings_ms.items():
                    stages.setdefault(stage, []).append(milliseconds)
        if starter is not None:
            other.append(starter(query).timings_ms["total"])
        advance()
    overview = chatbot.overview()
    return LatencyReport(
        dataset=dataset,
        documents=len(overview.documents),
        chunks=overview.chunks,
        questions=len(queries),
        evidence_ms=_percentiles(evidence),
        answer_ms=_percentiles(whole),
        stages_ms={stage: round(float(np.median(values)), 1) for stage, values in stages.items()},
        starter_ms=_percentiles(other),
        origin=read_origin(),
    )


def _percentiles(values: Sequence[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.percentile(values, share)), 1) for share in (50, 95, 99)} if values else {}
