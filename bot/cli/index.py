"""`footnote index`: bring the index in line with a folder."""

from __future__ import annotations

from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from bot.cli.interrupt import interruptible
from bot.cli.options import json_option, print_json, print_progress, with_settings
from bot.settings import Settings
from index.paths import check_paths

if TYPE_CHECKING:
    from index.sync import SyncReport

_STAGES = {"scan": "looking at files", "read": "reading", "embed": "embedding", "build": "building the index"}


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Say what would change and write nothing.")
@click.option(
    "--allow-empty", is_flag=True, help="Accept folders without a readable document, which empties the index."
)
@json_option
@with_settings
def index(paths: tuple[Path, ...], settings: Settings, *, dry_run: bool, allow_empty: bool, as_json: bool) -> int:
    """Bring the index in line with PATHS: folders, files, or a corpus.jsonl of {"_id", "title", "text"} rows.

    Afterwards the index holds just what they hold. Without PATHS, the folders of the settings are followed.
    Exits 1 when a file could not be read; the others are indexed all the same.

    \b
    Example:
      footnote index seeds
      footnote index reports/ minutes/ --dry-run
    """
    check_paths(paths or settings.documents)
    from bot.build import build_chatbot  # noqa: PLC0415  # what follows takes seconds to import
    from index.catalogue import Catalogue  # noqa: PLC0415
    from index.embedding.build import build_embedder  # noqa: PLC0415
    from index.sync import synchronise  # noqa: PLC0415

    catalogue = Catalogue(settings.catalogue_url())
    console = Console(stderr=True)
    columns = (
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        interruptible() as interruption,
        Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar,
    ):
        task = bar.add_task("loading the embedding model", total=None)
        embedder = build_embedder(settings)

        bar.remove_task(task)
        stages = {name: bar.add_task(title, total=None, visible=False) for name, title in _STAGES.items()}

        def show(stage: str, done: int, total: int) -> None:
            interruption.check()
            bar.update(stages[stage], completed=done, total=total or None, visible=True)

        report = synchronise(
            paths or settings.documents,
            settings,
            catalogue,
            embedder,
            dry_run=dry_run,
            allow_empty=allow_empty,
            progress=show,
        )
        if not dry_run:
            bar.add_task("choosing example questions", total=None)
            with closing(build_chatbot(settings, embedder)) as chatbot:
                chatbot.example_questions()
    catalogue.close()
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


def _summary(report: SyncReport) -> str:
    counts = ", ".join(
        f"{len(getattr(report, name))} {name}" for name in ("added", "changed", "removed", "unchanged", "failed")
    )
    if report.dry_run:
        return f"Would be: {counts}. Nothing was written."
    return f"{counts}. {report.chunks} chunks, {report.embedded} newly embedded."
