"""The command `footnote eval retrieval`."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings
from eval.benchmark.sets import in_query_forms, load_set, require_relevant_documents
from eval.errors import ReportError
from eval.origin import read_origin
from eval.progress import show_progress


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
    from eval.benchmark.steps import StepsReport, measure_steps, print_steps  # noqa: PLC0415  # torch takes seconds

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
