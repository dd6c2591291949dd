"""Prints a run report to a terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

from eval.measures.interval import Metric
from eval.measures.scoring import TAG_MEASURES
from eval.report.report import QuestionReport, RunReport


def print_report(report: RunReport, console: Console) -> None:
    """Print the metrics with n and interval, the main ones by tag, and each failed question on one line."""
    console.print(metrics_table(report.metrics))
    if report.by_tag:
        console.print(_tag_table(report))
    # One line a question, however long: it can be searched and cut by other programs.
    for times, question in _once_each(report.failures()):
        often = f"{times} of {report.repeats} times  " if report.repeats > 1 else ""
        console.print(Text(often + failure_line(question)), soft_wrap=True)
    for warning in report.warnings:
        console.print(Text(f"not in the documents  {warning}"), soft_wrap=True)
    lost = Counter(question.blame.stage for question in report.failures() if question.blame)
    if lost:
        counts = ", ".join(f"{stage} {count}" for stage, count in lost.most_common())
        console.print(Text(f"lost in: {counts}"), soft_wrap=True)
    failed = sum(1 for _ in report.failures())
    questions = len(report.questions) // report.repeats
    asked = f"{questions} questions asked {report.repeats} times" if report.repeats > 1 else f"{questions} questions"
    answers = f"{failed} answers" if report.repeats > 1 else f"{failed}"
    summary = f"{asked}, {answers} not as they should be, {report.crashes} of them crashed"
    console.print(Text(f"{summary}; {report.documents} documents, {report.seconds:.1f} s"), soft_wrap=True)


def _once_each(failures: Iterable[QuestionReport]) -> list[tuple[int, QuestionReport]]:
    """Return each question that failed, with how many times, and one of its answers: the first."""
    by_question: dict[tuple[str, str], list[QuestionReport]] = {}
    for question in failures:
        by_question.setdefault((question.suite, question.golden.id), []).append(question)
    return [(len(some), some[0]) for some in by_question.values()]


def failure_line(question: QuestionReport) -> str:
    """Return one line that says what became of a question that failed."""
    reply = question.answer.text if question.answer else ""
    shown = question.crash.strip().splitlines()[-1] if question.crash else reply
    reasons = [*question.why, *([f"lost in {question.blame.stage}: {question.blame.why}"] if question.blame else [])]
    why = f" ({'; '.join(reasons)})" if reasons else ""
    line = f"{question.verdict}  {question.golden.id}: {question.golden.question} -> {shown}{why}"
    return " ".join(line.split())


def metrics_table(metrics: dict[str, Metric]) -> Table:
    """Return a table of metrics with n and interval."""
    table = Table(box=None, pad_edge=False, title_justify="left")
    table.add_column("measure")
    for name in ("value", "n", "unscored", "95% interval"):
        table.add_column(name, justify="right")
    for name, metric in metrics.items():
        interval = f"{number(name, metric.low)} to {number(name, metric.high)}" if metric.n else ""
        table.add_row(name, number(name, metric.value), str(metric.n), str(metric.unscored), interval)
    return table


def _tag_table(report: RunReport) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("tag")
    table.add_column("questions", justify="right")
    for name in TAG_MEASURES:
        table.add_column(f"{name.replace('_', ' ')} (n)", justify="right")
    for tag, row in report.by_tag.items():
        cells = (f"{number(name, row.metrics[name].value)} ({row.metrics[name].n})" for name in TAG_MEASURES)
        table.add_row(Text(tag), str(row.questions), *cells)
    return table


def number(name: str, value: float | None) -> str:
    """Return a value as it is printed: whole milliseconds, three decimals of anything else."""
    if value is None:
        return "-"
    return f"{value:.0f}" if name.endswith("_ms") else f"{value:.3f}"
