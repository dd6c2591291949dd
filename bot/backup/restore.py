"""`footnote restore`: a backup becomes an index in an empty folder."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from contextlib import closing
from pathlib import Path

import sqlalchemy as sa

from bot.backup.archive import unpack
from bot.backup.manifest import DATA, DATABASE, SETTINGS, Manifest
from bot.errors import BackupError
from bot.settings import DEFAULT_CONFIG, Settings
from index.catalogue import Catalogue
from index.copying import load_database
from index.generation.rebuild import rebuild


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
        # Beside the index it was saved from, on one Chroma server, it needs a name of its own.
        catalogue.set_properties({"index_id": uuid.uuid4().hex[:12]})
        if manifest.index.fingerprint:
            rebuild(settings.data_dir, catalogue)
