"""`footnote backup`, `footnote restore` and `footnote doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from bot.cli.options import json_option, print_json, print_progress, with_settings
from bot.settings import DEFAULT_CONFIG, Settings
from bot.storage.backup import DATA, SETTINGS, Manifest


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@with_settings
def backup(file: Path, settings: Settings, *, as_json: bool) -> None:
    """Save the index to FILE, a new .tar.gz, while others go on asking and indexing.

    Saved are the database with all documents, vectors and feedback, the settings file, and what else the data folder
    holds but cannot be built again. Treat FILE like the documents themselves.

    \b
    Example:
      footnote backup copies/2026-11-23.tar.gz
    """
    from bot.storage.backup import back_up  # takes a second to import

    named: Path | None = click.get_current_context().params["config"]
    config = named or (DEFAULT_CONFIG if DEFAULT_CONFIG.is_file() else None)
    manifest = back_up(settings, config, file)
    if as_json:
        print_json(manifest.model_dump(mode="json"))
    else:
        click.echo(f"Saved {_contents(manifest)} to {str(file)!r} ({file.stat().st_size / 1e6:.1f} MB).")


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@json_option
@with_settings
def restore(file: Path, settings: Settings, *, as_json: bool) -> None:
    """Restore FILE, made by `footnote backup`, into the folder given by --data-dir, which must be empty.

    \b
    Example:
      footnote restore copies/2026-11-23.tar.gz --data-dir restored
    """
    from bot.storage.backup import restore as restore_backup  # takes a second to import

    manifest = restore_backup(settings, file)
    if as_json:
        print_json(manifest.model_dump(mode="json"))
        return
    made = f"{manifest.created_at:%Y-%m-%d %H:%M} UTC by Footnote {manifest.versions['footnote']}"
    click.echo(
        f"Restored {_contents(manifest)} to {str(settings.data_dir)!r}, saved {made}; the search index is built."
    )
    if SETTINGS in manifest.members:
        path = settings.data_dir / DEFAULT_CONFIG.name
        print_progress(f"The settings file is {str(path)!r}: name it with --config, or move it where Footnote starts.")


def _contents(manifest: Manifest) -> str:
    others = sum(name.startswith(DATA) for name in manifest.members)
    return f"{manifest.index.documents} documents in {manifest.index.chunks} chunks, and {others} other files,"


@click.command()
@click.option("--deep", is_flag=True, help="Hash the weights of the local language model too (seconds).")
@json_option
@with_settings
def doctor(settings: Settings, *, deep: bool, as_json: bool) -> int:
    """Check versions, models, disk, permissions, database, index, files and port; exits 1 when something has failed.

    \b
    Example:
      footnote doctor
    """
    from bot.operations.doctor import examine  # Chroma takes a second to import

    checks = list(examine(settings, deep=deep))
    if as_json:
        print_json([asdict(check) for check in checks])
    else:
        for check in checks:
            click.echo(f"{check.state:<8} {check.name}: {check.message}")
    return 1 if any(check.state == "failed" for check in checks) else 0
