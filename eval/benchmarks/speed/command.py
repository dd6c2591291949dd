"""The command `footnote eval speed`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings
from eval.benchmarks.dataset import load_dataset
from eval.errors import ReportError
from eval.run.progress import show_progress
from index.store.atomic_file import write_file


@click.command(
    epilog="\b\nExample:\n  footnote eval speed datasets/mtrag/clapnq datasets/multihop100/musique --documents 9000"
    " --out docs/speed.json"
)
@click.argument(
    "folders", metavar="FOLDER…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, file_okay=False)
)
@click.option("--documents", type=click.IntRange(1), default=10_000, show_default=True, help="Most documents indexed.")
@click.option(
    "--questions", type=click.IntRange(1), default=100, show_default=True, help="Most questions searched for."
)
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="How often each is timed.")
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/speed"),
    show_default=True,
    help="Folder for the indexes, which are not kept.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this JSON file, and its plot beside it.",
)
@json_option
@with_settings
def speed(
    folders: tuple[Path, ...],
    *,
    documents: int,
    questions: int,
    rounds: int,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Time llama-index's starter, Footnote's plain path and its default side by side on the same documents.

    Documents are taken from one set after another until there are enough, questions from the first.
    """
    from eval.benchmarks.speed.measure import CONTENDERS, measure_speed
    from eval.benchmarks.speed.report import (
        plot_speed,
        print_speed,
    )

    del settings  # each contender is timed with its defaults
    if out is not None and not out.parent.is_dir():
        raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
    with show_progress("rounds of contenders", rounds * len(CONTENDERS)) as advance:
        report = measure_speed([*map(load_dataset, folders)], documents, questions, rounds, work, advance)
    if out is not None:
        report.write(out)
        write_file(out.with_suffix(".svg"), plot_speed(report), ReportError)
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_speed(report, Console(width=120))
