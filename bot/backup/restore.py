"""`footnote restore`: a backup becomes an index in an empty folder."""

from __future__ import annotations

import shutil
import tempfile
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bot.backup.archive import unpack
from bot.backup.manifest import DATA, DATABASE, SETTINGS, Manifest
from bot.errors import BackupError
from bot.settings import DEFAULT_CONFIG, Settings
from index.catalogue import Catalogue
from index.copying import load_database
from index.generation import build_generation


def restore(settings: Settings, file: Path) -> Manifest:
    """Restore a backup into the data folder of the settings, which must be empty, and return what it says of itself.

    Every hash is checked before anything is put in its place. The generation is built from the database, without the
    embedding model; a database of an older schema is brought up to date when it is opened.

    Raises:
        BackupError: The folder is not empty, or the file is no whole backup.
        IndexingError: The database cannot be loaded.
    """
    data_dir = settings.data_dir
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        if any(data_dir.iterdir()):
            raise BackupError(f"The folder {str(data_dir)!r} is not empty: name an empty one with --data-dir.")
        with tempfile.TemporaryDirectory(prefix=".restore-", dir=data_dir) as temporary:
            folder = Path(temporary)
            manifest = unpack(file, folder)
            _check_backend(settings, manifest)
            if (folder / SETTINGS).exists():
                (folder / SETTINGS).rename(data_dir / DEFAULT_CONFIG.name)
            for path in sorted((folder / DATA).glob("*")):
                shutil.move(path, data_dir / path.name)
            # Last: a folder without its database is not taken for an index.
            load_database(folder / DATABASE, settings.catalogue_url())
    except OSError as error:
        raise BackupError(
            f"The folder {str(data_dir)!r} cannot be used ({error.strerror}): choose another with --data-dir."
        ) from error
    _build(settings, manifest)
    return manifest


def _check_backend(settings: Settings, manifest: Manifest) -> None:
    here = sa.make_url(settings.catalogue_url()).get_backend_name()
    if manifest.index.backend != here:
        advice = "leave database_url out" if manifest.index.backend == "sqlite" else "set database_url to an empty one"
        raise BackupError(f"The backup holds a {manifest.index.backend} database, not {here}: {advice}.")


def _build(settings: Settings, manifest: Manifest) -> None:
    with closing(Catalogue(settings.catalogue_url())) as catalogue:
        catalogue.discard_staged()  # of a run that went on while the backup was made
        if not manifest.index.fingerprint:
            return
        name, built = build_generation(
            settings.data_dir, lambda: catalogue.future_chunks(()), embedding_model=manifest.index.embedding_model
        )
        if built.fingerprint != manifest.index.fingerprint:
            raise BackupError(
                f"The index built in {str(settings.data_dir)!r} is not the one that was saved: take another backup."
            )
        catalogue.set_properties({"generation": name})
