"""Retrieval with one idea more each time, on every set, in one table: what each idea is worth."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from pydantic import BaseModel, ConfigDict
from rich.console import Console
from rich.table import Table

from bot.settings import Settings
from eval.benchmarks.sets.report import SetReport, report_sets
from eval.benchmarks.sets.respondent import ChatbotOpener
from eval.benchmarks.sets.run import Progress, answer_set
from eval.benchmarks.sets.sets import BenchmarkSet
from eval.errors import ReportError
from eval.report.table import number
from eval.run.origin import RunOrigin
from index.embedding.build import build_embedder
from index.store.atomic_file import write_file

_SHOWN = {"ndcg_at_10": "nDCG@10", "recall_at_5": "R@5"}
# What three decimals do not show.
_AS_GOOD = 5e-4


@dataclass(frozen=True, slots=True)
class Step:
    """A way to rank.

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
    Step("dense", "vectors alone", _weights(1, 1, 0)),
    Step("keyword", "BM25 alone", _weights(0, 0, 0)),
    Step("naive", "both, half and half", _weights(0.5, 0.5, 0)),
    Step("weighted", "meaning counts twice as much as words", _weights(0.67, 0.67, 0)),
    Step("script", "words count more where the embedding model spells a script out", _weights(0.67, 0.35, 0)),
    Step("phrases", "words that stand side by side as in the question score again", _weights(0.67, 0.35, 0.3)),
    Step("chosen", "what was said before counts too; this is what questions get", {}),
)


class StepReport(BaseModel):
    """What one step reaches on every set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    step: str
    why: str
    sets: tuple[SetReport, ...]


class StepsReport(BaseModel):
    """What every step reaches on every set."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    started_at: datetime
    origin: RunOrigin
    limit: int | None
    steps: tuple[StepReport, ...]

    def write(self, path: Path) -> None:
        """Write the report to a file.

        Raises:
            ReportError: The file cannot be written.
        """
        write_file(path, self.model_dump_json(indent=2) + "\n", ReportError)


def measure_steps(
    chosen: Sequence[BenchmarkSet], settings: Settings, work: Path, progress: Progress
) -> tuple[StepReport, ...]:
    """Return what each step reaches; indexes and results are kept below `work` and not made twice."""
    embedder = build_embedder(settings)

    def measure(step: Step) -> StepReport:
        changed = settings.model_copy(update={"answerer": "extractive", **step.settings})
        opener = ChatbotOpener(changed, embedder, search_only=True)
        results = [(one, answer_set(one, opener, work, progress)) for one in chosen]
        return StepReport(step=step.name, why=step.why, sets=tuple(report_sets(results)))

    return tuple(map(measure, STEPS))


def print_steps(report: StepsReport, console: Console) -> None:
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
        yield f"[bold]{text}[/bold]" if value >= max(reached) - _AS_GOOD else text
