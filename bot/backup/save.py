"""`footnote backup`: what cannot be built again, of one moment, while others go on reading and writing.

Saved are the database (documents, vectors, feedback), the settings file and what else lies in the data folder.
Generations are not: they are built from the database, without the embedding model.
"""

from __future__ import annotations

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bot.backup.archive import describe, pack
from bot.backup.manifest import DATA, DATABASE, SETTINGS, Manifest
from bot.errors import BackupError
from bot.settings import Settings
from index.copying import copy_database
from index.generation import generations_folder


def back_up(settings: Settings, config: Path | None, target: Path) -> Manifest:
    """Write a backup to a new file, readable by its owner only, and return what it says of itself.

    Args:
        settings: Which index.
        config: The settings file, where there is one.
        target: Where the backup goes. It is there whole or not at all.

    Raises:
        BackupError: The file is there already or cannot be written.
        IndexingError: There is no database, or it cannot be copied.
    """
    if target.exists():
        raise BackupError(f"There is a file at {str(target)!r} already: name another.")
    if target.absolute().is_relative_to(settings.data_dir.absolute()):
        raise BackupError(f"The backup {str(target)!r} would lie in the folder that it saves: choose another place.")
    try:
        # Beside the target, so that the last step is a rename.
        with tempfile.TemporaryDirectory(prefix=f".{target.name}.", dir=target.absolute().parent) as temporary:
            manifest = _save(settings, config, Path(temporary))
            _make_durable(Path(temporary, "backup"))
            Path(temporary, "backup").chmod(0o600)
            Path(temporary, "backup").rename(target)
            _make_durable(target.absolute().parent)
    except OSError as error:
        raise BackupError(
            f"The backup {str(target)!r} cannot be written ({error.strerror}): choose another place for it."
        ) from error
    return manifest


def _save(settings: Settings, config: Path | None, temporary: Path) -> Manifest:
    folder = temporary / "members"
    folder.mkdir()
    created_at = datetime.now(UTC)
    index = copy_database(settings.catalogue_url(), folder / DATABASE)
    if config is not None:
        shutil.copyfile(config, folder / SETTINGS)
    for path in _kept_files(settings.data_dir):
        copy = folder / DATA / path.relative_to(settings.data_dir)
        copy.parent.mkdir(parents=True, exist_ok=True)
        with suppress(FileNotFoundError):  # removed since it was listed
            shutil.copyfile(path, copy)
    members = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}
    manifest = Manifest(
        created_at=created_at,
        versions={
            "footnote": version("footnote-chat"),
            "python": platform.python_version(),
            "chromadb": version("chromadb"),
        },
        index=index,
        members={name: describe(path) for name, path in members.items()},
    )
    pack(manifest, folder, temporary / "backup")
    return manifest


def _kept_files(data_dir: Path) -> Iterator[Path]:
    """Yield the files of the data folder that are neither the database, nor built from it, nor locks."""
    generations = generations_folder(data_dir)
    for path in sorted(data_dir.rglob("*")):
        is_database = path.parent == data_dir and path.name.startswith("footnote.db")
        is_built = path.is_relative_to(generations)
        if not (is_database or is_built or path.is_symlink() or path.suffix == ".lock") and path.is_file():
            yield path


def _make_durable(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
