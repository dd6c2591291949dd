"""What each part of retrieval is worth: every set is searched with one idea more each time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.settings import Settings
from eval.benchmarks.sets.public_set import BenchmarkSet
from eval.benchmarks.sets.set_report import SetReport, report_sets
from eval.benchmarks.sets.set_run import ChatbotAnswerer, ShowProgress, answer_set
from eval.report.json_file import JsonFile, Record
from eval.report.table import number
from eval.run.origin import RunOrigin
from index.embedding.build import build_embedder

_SHOWN = {"ndcg_at_10": "nDCG@10", "recall_at_5": "R@5"}
_ROUNDING = 5e-4  # three decimals are shown


@dataclass(frozen=True, slots=True)
class RetrievalStep:
    """A way to rank chunks.

    Attributes:
        why: The idea in one line.
        settings: What it sets; what is not named is as configured.
    """

    name: str
    why: str
    settings: Mapping[str, float]


def _weights(vector: float, spelled_out: float, phrase: float) -> Mapping[str, float]:
    return {
        "vector_weight": vector,
        "spelled_out_vector_weight": spelled_out,
        "phrase_weight": phrase,
        "conversation_weight": 0,
    }


STEPS = (
    RetrievalStep("dense", "vectors alone", _weights(1, 1, 0)),
    RetrievalStep("keyword", "BM25 alone", _weights(0, 0, 0)),
    RetrievalStep("naive", "both, half and half", _weights(0.5, 0.5, 0)),
    RetrievalStep("weighted", "meaning counts twice as much as words", _weights(0.67, 0.67, 0)),
    RetrievalStep("script", "words count more where the embedding model spells a script out", _weights(0.67, 0.35, 0)),
    RetrievalStep("phrases", "words that stand side by side as in the question score again", _weights(0.67, 0.35, 0.3)),
    RetrievalStep("chosen", "what was said before counts too; this is what questions get", {}),
)


class StepReport(Record):
    """What one step reaches on every set."""

    step: str
    why: str
    sets: tuple[SetReport, ...]


class RetrievalStepsReport(JsonFile):
    """What every step reaches on every set."""

    started_at: datetime
    origin: RunOrigin
    limit: int | None
    steps: tuple[StepReport, ...]


def measure_steps(
    chosen: Sequence[BenchmarkSet], settings: Settings, work: Path, progress: ShowProgress
) -> tuple[StepReport, ...]:
    """Return what each step reaches; indexes and results are kept below `work` and not made twice."""
    embedder = build_embedder(settings)

    def measure(step: RetrievalStep) -> StepReport:
        changed = settings.model_copy(update={"answerer": "extractive", **step.settings})
        searcher = ChatbotAnswerer(changed, embedder, search_only=True)
        results = [(one, answer_set(one, searcher, work, progress)) for one in chosen]
        return StepReport(step=step.name, why=step.why, sets=tuple(report_sets(results)))

    return tuple(map(measure, STEPS))


def print_steps(report: RetrievalStepsReport, console: Console) -> None:
    """Print a table for each measure: a row for each set, a column for each step, the best of a row in bold."""
    for name, title in _SHOWN.items():
        table = Table(box=None, pad_edge=False)
        table.add_column(title, no_wrap=True)
        for heading in ("n", *(step.step for step in report.steps)):
            table.add_column(heading, justify="right")
        for place, first in enumerate(report.steps[0].sets):
            asked = ", last turn" if first.query == "last" else ""
            reached = [step.sets[place].metrics[name].value or 0.0 for step in report.steps]
            table.add_row(f"{first.name}{asked}", str(first.metrics[name].n), *_cells(name, reached))
        console.print(table)
    for step in report.steps:
        console.print(f"{step.step}: {step.why}", markup=False, highlight=False)


def _cells(name: str, reached: Sequence[float]) -> Iterator[str]:
    for value in reached:
        text = number(name, value).removeprefix("0")
        yield f"[bold]{text}[/bold]" if value >= max(reached) - _ROUNDING else text
