"""The command `footnote eval benchmark`."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import AnswererName, Settings
from eval.benchmark.sets import load_set
from eval.errors import EvaluationError, ReportError
from eval.origin import read_origin
from eval.progress import show_progress

if TYPE_CHECKING:
    from eval.benchmark.respondent import Opener

_STARTER = "starter"


@click.command(
    epilog="\b\nExamples:\n  footnote eval benchmark datasets/squad2 --mini\n"
    "  footnote eval benchmark datasets/mtrag_un datasets/mtrag/govt --out report.json"
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
    from eval.benchmark.report import BenchmarkReport, print_benchmark, report_pools, report_sets  # noqa: PLC0415
    from eval.benchmark.run import answer_set  # noqa: PLC0415  # torch takes seconds to import

    if out is not None and not out.parent.is_dir():
        raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
    started_at = datetime.now(UTC)
    chosen = [load_set(folder, mini=mini, limit=limit) for folder in folders]
    who = asked or settings.answerer
    with _open(who, settings, starter_url, starter_model) as opener:
        results = [(one, answer_set(one, opener, work, show_progress)) for one in chosen]
    report = BenchmarkReport(
        answerer=who,
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


@contextmanager
def _open(who: str, settings: Settings, starter_url: str | None, starter_model: str) -> Iterator[Opener]:
    """Yield whoever is asked; a local model runs once, however many corpora there are."""
    from bot.build import build_chatbot  # noqa: PLC0415  # torch takes seconds to import
    from bot.language_model.build import build_language_model  # noqa: PLC0415
    from eval.benchmark.respondent import ChatbotOpener  # noqa: PLC0415
    from index.embedder import SentenceTransformerEmbedder  # noqa: PLC0415

    embedder = SentenceTransformerEmbedder(settings.embedding_model)
    if who == _STARTER:
        from eval.benchmark.starter import open_starter  # noqa: PLC0415

        with open_starter(settings, embedder, starter_url, starter_model) as starter:
            yield starter
        return
    settings = settings.model_copy(update={"answerer": who})
    model = build_language_model(settings)
    try:
        yield ChatbotOpener(settings, embedder, functools.partial(build_chatbot, language_model=model))
    finally:
        if model is not None:
            model.close()
