"""`footnote review`: the verdicts of staff on answers, for a spreadsheet or a program."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TextIO

import click

from bot.answer.errors import ReviewError
from bot.cli.options import json_option, print_json, print_progress, with_settings
from bot.settings import Settings


@click.group()
def review() -> None:
    """Verdicts of staff on answers, and what waits for one."""


@review.command()
@click.option("--format", "export_format", type=click.Choice(["csv", "jsonl"]), default="csv", show_default=True)
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="File to write; stdout when not given.")
@with_settings
def export(settings: Settings, export_format: str, out: Path | None) -> None:
    """Write every verdict with the answer it is about.

    \b
    Example:
      footnote review export --format jsonl --out verdicts.jsonl
    """
    from bot.staff.review.verdicts import verdict_rows
    from bot.storage.answers import AnswerRecords  # takes a second to import
    from bot.storage.audit import TERMINAL, audit
    from bot.storage.table_lines import table_lines

    with closing(AnswerRecords(settings.catalogue_url(), settings.review_sample)) as records:
        # With a byte order mark, which is how a spreadsheet knows UTF-8.
        with _opened(out, "verdicts", "utf-8-sig" if export_format == "csv" else "utf-8") as file:
            lines = table_lines(export_format, verdict_rows(records.engine))
            count = sum(1 for line in lines if file.write(line))
        count = max(0, count - (export_format == "csv"))  # the line of the headings
        with records.engine.begin() as connection:
            audit(connection, TERMINAL, "review.export", export_format, after={"verdicts": count})
    print_progress(f"{count} verdicts")


@review.command()
@json_option
@with_settings
def queue(settings: Settings, *, as_json: bool) -> None:
    """Say how many answers wait for a verdict, and why."""
    from bot.staff.review.queue import QueueFilter, read_queue
    from bot.storage.answers import AnswerRecords

    with closing(AnswerRecords(settings.catalogue_url(), settings.review_sample)) as records:
        page = read_queue(records.engine, QueueFilter())
    counts = {reason.name.lower(): count for reason, count in page.counts.items() if reason.name and count}
    if as_json:
        print_json({"waiting": page.total, "reasons": counts})
        return
    click.echo(f"{page.total} answers wait for a verdict")
    for name, count in counts.items():
        click.echo(f"{count:>7} {name.replace('_', ' ')}")


@review.command()
@click.option("--since", type=click.DateTime(["%Y-%m-%d"]), help="First day (UTC); a week ago when not given.")
@click.option(
    "--out", type=click.Path(path_type=Path, dir_okay=False), help="HTML file to write; stdout when not given."
)
@with_settings
def digest(settings: Settings, since: datetime | None, out: Path | None) -> None:
    """Write what people asked in vain as one HTML page that needs no network.

    \b
    Example:
      footnote review digest --since 2026-11-01 --out digest.html
    """
    from bot.staff.insights import gather  # torch takes seconds to import
    from bot.storage.answers import AnswerRecords
    from bot.web.staff.insights_page import render_digest
    from index.embedding.build import build_embedder
    from index.store.catalogue import Catalogue

    begin = since.replace(tzinfo=UTC) if since else datetime.now(UTC) - timedelta(days=7)
    Catalogue(settings.catalogue_url()).close()  # the tables of documents, where nothing has been indexed yet
    with closing(AnswerRecords(settings.catalogue_url(), settings.review_sample)) as records:
        page = render_digest(gather(records.engine, build_embedder(settings).embed, begin))
    with _opened(out, "digest") as file:
        print(page, file=file)


@contextmanager
def _opened(path: Path | None, what: str, encoding: str = "utf-8") -> Iterator[TextIO]:
    if path is None:
        yield sys.stdout
        return
    try:
        with path.open("w", encoding=encoding, newline="") as file:
            yield file
    except OSError as error:
        raise ReviewError(
            f"The {what} cannot be written to {str(path)!r} ({error.strerror}): name another file."
        ) from error
