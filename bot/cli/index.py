"""`footnote index`: bring the index in line with a folder, say what became of its files, and mark files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.cli.options import interruptible, json_option, print_json, print_progress, with_settings
from bot.settings import Settings
from index.sync.scan import check_paths

if TYPE_CHECKING:
    from index.sync import SyncReport


_STAGES = {
    "load": "loading the embedding model",
    "scan": "looking at files",
    "read": "reading",
    "embed": "embedding",
    "build": "building the index",
    "examples": "choosing example questions",
}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option(
    "--allow-empty", is_flag=True, help="Accept folders without a readable document, which empties the index."
)
@click.option(
    "--unattended",
    is_flag=True,
    help="For a timer: leave files alone that are being written or that failed before and have not changed.",
)
@click.option("--status", is_flag=True, help="Say of each file whether it is indexed, pending, failed or excluded.")
@click.option("--retry", multiple=True, metavar="NAME", help="Have the next run read a file again, changed or not.")
@click.option("--exclude", multiple=True, metavar="NAME", help="Have the next run take a file out of the index.")
@click.option("--include", multiple=True, metavar="NAME", help="Undo --exclude.")
@json_option
@with_settings
def index(
    paths: tuple[Path, ...],
    settings: Settings,
    *,
    dry_run: bool,
    allow_empty: bool,
    unattended: bool,
    status: bool,
    retry: tuple[str, ...],
    exclude: tuple[str, ...],
    include: tuple[str, ...],
    as_json: bool,
) -> int:
    """Bring the index in line with PATHS: folders, files, or a corpus.jsonl of {"_id", "title", "text"} rows.

    Afterwards the index holds just what they hold. Without PATHS, the folders of the settings are followed.
    Exits 1 when a file could not be read; the others are indexed all the same. With --status, --retry, --exclude or
    --include nothing is indexed; NAME is a name that --status shows, or a pattern such as 'drafts/*'.

    \b
    Example:
      footnote index seeds
      footnote index reports/ minutes/ --dry-run
      footnote index --status
    """
    if status or retry or exclude or include:
        if paths or dry_run or allow_empty or unattended:
            raise click.UsageError("--status, --retry, --exclude and --include index nothing: leave the rest out.")
        _mark_files(settings, retry=retry, exclude=exclude, include=include)
        if status:
            _show_files(settings, as_json=as_json)
        return 0
    folders = paths or settings.documents
    check_paths(folders)
    from bot.operations.indexing import index_documents  # what follows takes seconds to import

    console = Console(stderr=True)
    task = TextColumn("{task.description}")
    columns = (SpinnerColumn(), task, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        interruptible() as check_interrupt,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        stages = {name: bar.add_task(title, total=None, visible=False) for name, title in _STAGES.items()}

        def show(stage: str, done: int, total: int) -> None:
            check_interrupt()
            bar.update(stages["load"], visible=False)
            bar.update(stages[stage], completed=done, total=total or None, visible=True)

        report = index_documents(
            folders, settings, show, dry_run=dry_run, allow_empty=allow_empty, unattended=unattended
        )
    if as_json:
        print_json(asdict(report))
    else:
        click.echo(_summary(report))
    if report.removed and not report.unchanged and not report.changed:
        print_progress(f"note: none of the {len(report.removed)} documents that were indexed before is there any more")
    for kind, documents in sorted(report.marks.items()):
        print_progress(f"marked: {documents} with {kind.replace('_', ' ')}, which is kept out of answers")
    for failure in report.failed:
        print_progress(f"failed: {failure.source} {failure.reason}")
    return 1 if report.failed else 0


def _mark_files(settings: Settings, *, retry: Sequence[str], exclude: Sequence[str], include: Sequence[str]) -> None:
    from index.store.catalogue import Catalogue  # takes a second to import

    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        for names, mark, deed in (
            (exclude, catalogue.files.exclude, "take out of the index"),
            (include, catalogue.files.include, "read"),
            (retry, catalogue.files.retry, "read again"),
        ):
            if names:
                print_progress(f"The next run will {deed}: {', '.join(mark(names))}")


def _show_files(settings: Settings, *, as_json: bool) -> None:
    """Print what became of each file; those that are indexed are only counted, except as JSON."""
    from index.store.catalogue import Catalogue  # takes a second to import

    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        records = catalogue.files.records()
    if as_json:
        print_json([{**asdict(one), "seen_at": one.seen_at and one.seen_at.isoformat()} for one in records])
        return
    counts = Counter(record.state for record in records)
    click.echo(", ".join(f"{counts[state]} {state}" for state in ("indexed", "pending", "failed", "excluded")))
    for record in records:
        if record.state != "indexed":
            click.echo(f"{record.state:<8} {record.source} {record.reason}".rstrip())


def _summary(report: SyncReport) -> str:
    names = ["added", "changed", "removed", "unchanged", "failed"]
    names += [name for name in ("pending", "excluded") if getattr(report, name)]
    counts = ", ".join(f"{len(getattr(report, name))} {name}" for name in names)
    if report.dry_run:
        return f"Would be: {counts}. Nothing was written."
    return f"{counts}. {report.chunks} chunks, {report.embedded} newly embedded."
