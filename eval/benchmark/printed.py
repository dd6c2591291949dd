"""The report of a benchmark as it stands in a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.text import Text

from eval.benchmark.report import BenchmarkReport, SetReport
from eval.table import metrics_table, number


def print_benchmark(report: BenchmarkReport, console: Console) -> None:
    """Print the measures of every set and pool, what others report, and the threshold table."""
    for one in (*report.sets, *report.pools):
        # One line each, however long: it can be searched and cut by other programs.
        console.print(Text(f"\n{_title(one)}"), soft_wrap=True)
        console.print(metrics_table({name: metric for name, metric in one.metrics.items() if metric.n}))
        for line in (*_published(one), *(f"note: {warning}" for warning in one.warnings)):
            console.print(Text(line), soft_wrap=True)
        if one.thresholds:
            console.print("threshold: false answers / false refusals")
        for row in one.thresholds:
            rates = (number("", rate.value) for rate in (row.false_answer_rate, row.false_refusal_rate))
            console.print(f"  {row.threshold:.1f}: {' / '.join(rates)}", highlight=False)


def _title(one: SetReport) -> str:
    by = ", ".join(f"{count} by {name}" for name, count in one.answered_by.items())
    asked = ", the last turn alone" if one.query == "last" else ""
    return f"{one.name}{asked}: {one.questions} questions ({by}), {one.crashes} crashed"


def _published(one: SetReport) -> Iterator[str]:
    """Yield a line for each place where figures were published, the measures that ours are beside in it."""
    for source, comparable in dict.fromkeys((figure.source, figure.comparable) for figure in one.published):
        figures = [figure for figure in one.published if (figure.source, figure.comparable) == (source, comparable)]
        by_measure = (
            f"{measure}: "
            + ", ".join(f"{figure.value:.3f} ({figure.system})" for figure in figures if figure.measure == measure)
            for measure in dict.fromkeys(figure.measure for figure in figures)
        )
        yield f"published: {'; '.join(by_measure)} [{source}; {comparable}]"
