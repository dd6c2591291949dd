"""The command `footnote eval scale`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import json_option, print_json, with_settings
from bot.settings import Settings
from eval.benchmarks.dataset import load_dataset
from eval.errors import ReportError

_SIZES = (10_000, 100_000, 1_000_000)


@click.command(
    epilog="\b\nExample:\n  footnote eval scale datasets/mtrag/clapnq --chunks 10000 --chunks 100000 "
    "--out docs/scale.json"
)
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--chunks",
    type=click.IntRange(1),
    multiple=True,
    default=_SIZES,
    show_default=True,
    help="How many chunks; can be given several times.",
)
@click.option(
    "--questions", type=click.IntRange(1), default=200, show_default=True, help="Most questions asked of each size."
)
@click.option(
    "--work",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("data/scale"),
    show_default=True,
    help="Folder for the indexes, which are kept: the same command goes on with an interrupted run.",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this JSON file, and its growth curves beside it as SVG.",
)
@json_option
@with_settings
def scale(
    folder: Path,
    *,
    chunks: tuple[int, ...],
    questions: int,
    work: Path,
    out: Path | None,
    as_json: bool,
    settings: Settings,
) -> None:
    """Build indexes of growing size from varied passages of a set and measure time, memory and disk.

    The passages are made up from real text, and so are their vectors, so this says nothing about quality. A million
    chunks take about 7 GB below --work.
    """
    from eval.benchmarks.scale.measure import measure_scale  # torch takes seconds to import
    from eval.benchmarks.scale.report import (
        plot_scale,
        print_scale,
    )

    if out is not None and not out.parent.is_dir():
        raise ReportError(f"There is no folder {str(out.parent)!r} for the report: make it, or name another.")
    report = measure_scale(load_dataset(folder), sorted(set(chunks)), questions, work, settings)
    if out is not None:
        report.write(out)
        plot_scale(report, out.with_suffix(".svg"))
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_scale(report, Console(width=120))
