"""What `footnote index` says of files and has done with them without indexing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict

import click

from bot.cli.options import print_json, print_progress
from bot.settings import Settings


def mark_files(settings: Settings, *, retry: Sequence[str], exclude: Sequence[str], include: Sequence[str]) -> None:
    """Have the next run read files again, take them out of the index, or read them after all.

    Raises:
        IndexingError: A name means no file.
    """
    from index.catalogue import Catalogue  # noqa: PLC0415  # takes a second to import

    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        for names, mark, deed in (
            (exclude, catalogue.files.exclude, "take out of the index"),
            (include, catalogue.files.include, "read"),
            (retry, catalogue.files.retry, "read again"),
        ):
            if names:
                print_progress(f"The next run will {deed}: {', '.join(mark(names))}")


def show_files(settings: Settings, *, as_json: bool) -> None:
    """Print what became of each file; those that are indexed are only counted, except as JSON."""
    from index.catalogue import Catalogue  # noqa: PLC0415  # takes a second to import

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
