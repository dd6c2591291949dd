"""How the verdicts and measures of a run differ from those of an earlier run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from eval.measures.interval import Metric
from eval.report.report import GOOD_VERDICTS, QuestionReport, RunReport, Verdict

# Name of the suite's file, id of the question, and which time it was asked.
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class MeasureChange:
    """A measure of both runs, each over its own questions."""

    name: str
    before: Metric
    now: Metric

    @property
    def difference(self) -> float | None:
        """Return how much the value rose, or None where one run has no value."""
        if self.before.value is None or self.now.value is None:
            return None
        return self.now.value - self.before.value


@dataclass(frozen=True, slots=True)
class RunChange:
    """What changed since the previous run.

    Attributes:
        previous: The earlier run.
        was: Earlier verdict of each question that both runs asked.
        flips: How many questions went from one verdict to another, the most frequent first.
        better: How many went from a bad verdict to a good one.
        worse: How many went from a good verdict to a bad one.
        added: How many questions only this run asked.
        removed: How many only the previous one asked.
        rewritten: How many of the paired questions do not read the same in both suites.
        measures: Measures that both runs have.
    """

    previous: RunReport
    was: Mapping[Key, Verdict]
    flips: tuple[tuple[Verdict, Verdict, int], ...]
    better: int
    worse: int
    added: int
    removed: int
    rewritten: int
    measures: tuple[MeasureChange, ...]


def key_of(question: QuestionReport) -> Key:
    """Return the key of a question, which is the same in another run, whatever folder its suite was in."""
    return question.suite_name, question.golden.id, question.repeat


def change_since(previous: RunReport, report: RunReport) -> RunChange:
    """Return what changed from one run to another."""
    before = {key_of(question): question for question in previous.questions}
    now = {key_of(question): question for question in report.questions}
    paired = [(before[key], now[key]) for key in now if key in before]
    flips = Counter((old.verdict, new.verdict) for old, new in paired if old.verdict != new.verdict)
    return RunChange(
        previous=previous,
        was={key: before[key].verdict for key in now if key in before},
        flips=tuple((old, new, number) for (old, new), number in flips.most_common()),
        better=sum(number for (old, new), number in flips.items() if direction(old, new) > 0),
        worse=sum(number for (old, new), number in flips.items() if direction(old, new) < 0),
        added=len(now) - len(paired),
        removed=len(before) - len(paired),
        rewritten=sum(old.golden != new.golden for old, new in paired),
        measures=tuple(
            MeasureChange(name, previous.metrics[name], metric)
            for name, metric in report.metrics.items()
            if name in previous.metrics
        ),
    )


def direction(old: Verdict, new: Verdict) -> int:
    """Return 1 when a verdict became good, -1 when it became bad, 0 when it stayed either."""
    return (new in GOOD_VERDICTS) - (old in GOOD_VERDICTS)
