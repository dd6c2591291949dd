"""The command `footnote eval report`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import print_progress
from eval.errors import ReportError
from eval.report import RunReport
from eval.table import print_report

_REPORT_IN_FOLDER = "report.json"


@click.command(
    epilog="\b\nExamples:\n  footnote eval report report.json\n"
    "  footnote eval report report.json --html report.html --previous yesterday.json"
)
@click.argument("report", metavar="REPORT", type=click.Path(path_type=Path))
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Write the report to this HTML file: one page that needs no network.",
)
@click.option(
    "--previous",
    metavar="REPORT",
    type=click.Path(path_type=Path),
    help="An earlier report; the page shows what changed since.",
)
def report(report: Path, *, html: Path | None, previous: Path | None) -> None:
    """Print a report of `footnote eval run --out` as tables, or write it as one HTML page.

    REPORT is the JSON file, or a folder with `report.json` in it.
    """
    if previous is not None and html is None:
        raise click.UsageError("--previous changes only the page: name the page with --html.")
    loaded = _load(report)
    earlier = _load(previous) if previous else None
    if html is None:
        print_report(loaded, Console())
        return
    from eval.html.page import render_report  # noqa: PLC0415  Matplotlib takes a second to import

    _write(render_report(loaded, earlier), html)
    print_progress(f"Wrote {str(html)!r}: open it in a browser.")


def _load(path: Path) -> RunReport:
    return RunReport.load(path / _REPORT_IN_FOLDER if path.is_dir() else path)


def _write(page: str, path: Path) -> None:
    """Write the page, replacing what was there only when it is complete."""
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        unfinished.write_text(page, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        raise ReportError(f"The page {str(path)!r} cannot be written ({error.strerror}): name another file.") from error
