"""The command `footnote eval benchmark`.

The command `footnote eval retrieval`.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import AnswererName, Settings
from eval.benchmarks.sets.sets import in_query_forms, load_set, require_relevant_documents
from eval.errors import EvaluationError, ReportError
from eval.run.origin import read_origin
from eval.run.progress import show_progress

if TYPE_CHECKING:
    from eval.benchmarks.sets.respondent import Opener

_STARTER = "starter"


@click.command(
    epilog="\b\nExamples:\n  footnote eval benchmark datasets/squad2 --mini\n"
    "  footnote eval benchmark datasets/mtrag_un datasets/mtrag/govt --out report.json\n"
    "  footnote eval benchmark datasets/mtrag/govt --retrieval-only --query both"
)
@click.argument(
    "folders", metavar="FOLDER…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--answerer",
    "asked",
    type=click.Choice([*get_args(AnswererName), _STARTER]),
    help="Who is asked; `starter` is llama-index's chat engine, the baseline.",
)
@click.option(
    "--retrieval-only",
    is_flag=True,
    help="Only search, and measure where the relevant documents stand; quick, and by default without a language model.",
)
@click.option(
    "--query",
    type=click.Choice(["history", "last", "both"]),
    default="history",
    show_default=True,
    help="Ask a follow-up with the turns before it, its last turn alone, or once each.",
)
@click.option("--mini", is_flag=True, help="Only the rows that a set marks as its small sample.")
@click.option("--limit", type=click.IntRange(1), help="At most so many questions of each set, the same ones each time.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/benchmarks"),
    show_default=True,
    help="Where indexes and answers are kept.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to this JSON file.")
@click.option(
    "--starter-url",
    envvar="FOOTNOTE_STARTER_URL",
    help="OpenAI-compatible server of the starter's language model; without one it is the local model.",
)
@click.option("--starter-model", envvar="FOOTNOTE_STARTER_MODEL", default="local", help="Its name on that server.")
@json_option
@with_settings
def benchmark(
    folders: tuple[Path, ...],
    *,
    asked: str | None,
    retrieval_only: bool,
    query: str,
    mini: bool,
    limit: int | None,
    work: Path,
    out: Path | None,
    starter_url: str | None,
    starter_model: str,
    as_json: bool,
    settings: Settings,
) -> None:
    """Ask the questions of public sets and print how good the answers are.

    Each answer is written to a file below --work as soon as it is there. What was asked already, of the same code,
    settings and documents, is not asked again: a run that was stopped goes on when the command is repeated. The key of
    the starter's server is read from FOOTNOTE_STARTER_KEY.
    """
    from eval.benchmarks.sets.report import (
        BenchmarkReport,
        print_benchmark,  # torch takes seconds to import
        report_pools,
        report_sets,
    )
    from eval.benchmarks.sets.run import answer_set

    if out is not None and not out.parent.is_dir():
        raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
    started_at = datetime.now(UTC)
    read = [load_set(folder, mini=mini, limit=limit) for folder in folders]
    if retrieval_only:
        for one in read:
            require_relevant_documents(one)
    chosen = [form for one in read for form in in_query_forms(one, query)]
    who = asked or ("extractive" if retrieval_only else settings.answerer)
    with _open(who, settings, starter_url, starter_model, retrieval_only=retrieval_only) as opener:
        results = [(one, answer_set(one, opener, work, show_progress)) for one in chosen]
    report = BenchmarkReport(
        answerer=who,
        retrieval_only=retrieval_only,
        mini=mini,
        limit=limit,
        started_at=started_at,
        origin=read_origin(),
        sets=tuple(report_sets(results)),
        pools=tuple(report_pools(results)),
    )
    if out is not None:
        report.write(out)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_benchmark(report, Console())
    if all(one.crashes == one.questions for one in report.sets):
        raise EvaluationError("Every question crashed, so nothing was measured: the answer files hold the tracebacks.")


def _open(
    who: str, settings: Settings, starter_url: str | None, starter_model: str, *, retrieval_only: bool
) -> AbstractContextManager[Opener]:
    from eval.benchmarks.sets.run import open_answerer, open_baseline  # torch takes seconds to import

    if who != _STARTER:
        return open_answerer(settings.model_copy(update={"answerer": who}), search_only=retrieval_only)
    if retrieval_only:
        raise EvaluationError("The starter cannot search without answering: leave out --retrieval-only.")
    return open_baseline(settings, starter_url, starter_model)


@click.command(
    epilog="\b\nExamples:\n  footnote eval retrieval datasets/scifact datasets/squad2\n"
    "  footnote eval retrieval datasets/mtrag/{clapnq,cloud,fiqa} --query last --out steps.json"
)
@click.argument(
    "folders", metavar="FOLDER…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option(
    "--query",
    type=click.Choice(["history", "last", "both"]),
    default="history",
    show_default=True,
    help="Search for a follow-up with the turns before it, its last turn alone, or once each.",
)
@click.option("--limit", type=click.IntRange(1), help="At most so many questions of each set, the same ones each time.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/benchmarks"),
    show_default=True,
    help="Where indexes and results are kept.",
)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the report to this JSON file.")
@json_option
@with_settings
def retrieval(
    folders: tuple[Path, ...],
    *,
    query: str,
    limit: int | None,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Search public sets by vectors alone, by words alone, by both, and with each later idea: one table of all.

    Says what each part of the retrieval is worth on documents like yours. What was searched before, with the same code,
    settings and documents, is not searched again.
    """
    from eval.benchmarks.sets.retrieval_steps import StepsReport, measure_steps, print_steps  # torch takes seconds

    if out is not None and not out.parent.is_dir():
        raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
    started_at = datetime.now(UTC)
    read = [load_set(folder, mini=False, limit=limit) for folder in folders]
    for one in read:
        require_relevant_documents(one)
    chosen = [form for one in read for form in in_query_forms(one, query)]
    steps = measure_steps(chosen, settings, work, show_progress)
    report = StepsReport(started_at=started_at, origin=read_origin(), limit=limit, steps=steps)
    if out is not None:
        report.write(out)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_steps(report, Console(width=120))
