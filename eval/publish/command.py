"""The command `footnote eval publish`."""

from __future__ import annotations

from pathlib import Path

import click

from bot.cli.options import print_progress
from eval.errors import ReportError


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
    from eval.publish.blocks import fill_blocks  # noqa: PLC0415  # a report's classes take seconds to import
    from eval.publish.tables import read_tables  # noqa: PLC0415

    tables = [table for path in reports for table in read_tables(path)]
    try:
        before = into.read_text(encoding="utf-8")
        after, counts = fill_blocks(before, tables, str(into))
        if after != before:
            unfinished = into.with_name(f".{into.name}.unfinished")
            unfinished.write_text(after, encoding="utf-8")
            unfinished.replace(into)
    except (OSError, UnicodeDecodeError) as error:
        raise ReportError(f"{str(into)!r} cannot be read or written ({error}): name another file.") from error
    for name, count in counts.items():
        print_progress(f"{into}: {name}: {count} {'table' if count == 1 else 'tables'}")
