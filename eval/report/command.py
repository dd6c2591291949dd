"""The commands `footnote eval report` and `footnote eval publish`."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from bot.cli.options import print_progress
from eval.errors import ReportError
from eval.report.report import RunReport
from eval.report.table import print_report
from index.store.atomic_file import write_file


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
    loaded = RunReport.load(report)
    earlier = RunReport.load(previous) if previous else None
    if html is None:
        print_report(loaded, Console())
        return
    from eval.report.page import render_report  # Matplotlib takes a second to import

    write_file(html, render_report(loaded, earlier), ReportError)
    print_progress(f"Wrote {str(html)!r}: open it in a browser.")


@click.command(
    epilog="\b\nExamples:\n  footnote eval publish report.json --into docs/quality.md\n"
    "  footnote eval publish runs/monday benchmark.json --into docs/quality.md"
)
@click.argument("reports", metavar="REPORT…", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option(
    "--into",
    required=True,
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="Markdown file with lines `<!-- begin: SET -->` and `<!-- end: SET -->`.",
)
def publish(reports: tuple[Path, ...], *, into: Path) -> None:
    """Write the figures of reports into a Markdown file, between the markers that name their set or suite.

    A report is what `footnote eval benchmark --out` or `footnote eval run --out` wrote. A marker may go on with words,
    as in `squad2 local mini`: its place then takes tables of that answerer and sample alone. All else is left as it is.
    """
    from eval.report.published_tables import fill_blocks, read_tables  # a report's classes take seconds to import

    tables = [table for path in reports for table in read_tables(path)]
    try:
        before = into.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{str(into)!r} cannot be read ({error}): name another file.") from error
    after, counts = fill_blocks(before, tables, str(into))
    if after != before:
        write_file(into, after, ReportError)
    for name, count in counts.items():
        print_progress(f"{into}: {name}: {count} {'table' if count == 1 else 'tables'}")
