"""What happens with each answer besides being given: counted, and traced where a collector is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib.metadata import version

from bot.answer import Answer
from bot.inquiry import Stage
from bot.operations.metrics import Metrics
from bot.operations.traces import open_traces


@contextmanager
def observed(metrics: Metrics, address: str) -> Iterator[Callable[[Answer, Sequence[Stage]], None]]:
    """Serve the metrics at an address, and yield what is to be called with each answer.

    Raises:
        ServeError: The address cannot be used.
    """
    traces = open_traces(version("footnote-chat"))

    def on_answer(answer: Answer, stages: Sequence[Stage]) -> None:
        metrics.answered(answer)
        if traces is not None:
            traces.answered(answer, stages)

    try:
        with metrics.served(address):
            yield on_answer
    finally:
        if traces is not None:
            traces.close()
