"""What a backup says of itself.

The file of a backup: a gzipped tar whose first member, the manifest, names the size and SHA-256 of every other.

`footnote backup`: what cannot be built again, of one moment, while others go on reading and writing.

Saved are the database (documents, vectors, feedback), the settings file and what else lies in the data folder.
Generations are not: they are built from the database, without the embedding model.

`footnote restore`: a backup becomes an index in an empty folder.
"""

from __future__ import annotations

import gzip
import hashlib
import platform
import shutil
import tarfile
import tempfile
import uuid
import zlib
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import IO, Literal

import sqlalchemy as sa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bot.answer.errors import BackupError
from bot.settings import DEFAULT_CONFIG, Settings
from index.generation import generations_folder
from index.generation.rebuild import rebuild
from index.store.atomic_file import move_durably
from index.store.catalogue import Catalogue
from index.store.copying import CopiedIndex, copy_database, load_database

MANIFEST = "manifest.json"
DATABASE = "database"  # the copy of the database
SETTINGS = "settings.toml"
DATA = "data/"  # what else the data folder holds


class Member(BaseModel):
    """A file in a backup."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    size: int = Field(ge=0)
    sha256: str


class Manifest(BaseModel):
    """The first file of a backup.

    Attributes:
        format: How the backup is laid out.
        created_at: When the database was copied.
        versions: Of Footnote, Python and Chroma.
        index: What the database holds.
        members: Every other file by its name in the backup.
    """

    model_config = ConfigDict(frozen=True)

    format: Literal[1] = 1
    created_at: datetime
    versions: dict[str, str]
    index: CopiedIndex
    members: dict[str, Member]


_FAST = 1  # vectors hardly shrink at any level
_BLOCK = 1 << 20
_LONGEST_MANIFEST = 64 << 20
_DAMAGES = (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


def describe(path: Path) -> Member:
    """Return the size and hash of a file."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Member(size=path.stat().st_size, sha256=digest)


def pack(manifest: Manifest, folder: Path, target: Path) -> None:
    """Write the manifest and the members it names, which lie in a folder, to a new file."""
    (folder / MANIFEST).write_text(manifest.model_dump_json(indent=2), encoding="utf-8")
    with tarfile.open(target, "x:gz", compresslevel=_FAST) as archive:
        for name in (MANIFEST, *manifest.members):
            entry = tarfile.TarInfo(name)
            entry.size = (folder / name).stat().st_size
            entry.mode = 0o600
            entry.mtime = int(manifest.created_at.timestamp())
            with (folder / name).open("rb") as file:
                archive.addfile(entry, file)


def unpack(file: Path, folder: Path) -> Manifest:
    """Write the members of a backup into an empty folder and return the manifest, once every hash has been checked.

    Raises:
        BackupError: It is no whole backup, it would not fit on the disk, or it holds what no backup holds: links,
            devices, names outside the folder, more bytes than the manifest says. What was written is of no use then.
    """
    with _opened(file) as archive:
        manifest = _read_manifest(file, archive)
        needed, free = sum(member.size for member in manifest.members.values()), shutil.disk_usage(folder).free
        if needed > free:
            raise BackupError(
                f"The backup {str(file)!r} holds {needed / 1e9:.1f} GB, there are {free / 1e9:.1f} GB free for "
                f"{str(folder.parent)!r}: free some, or choose another --data-dir."
            )
        missing = dict(manifest.members)
        while entry := archive.next():
            safe = tarfile.data_filter(entry, str(folder))  # raises for some bad names and mends others
            expected = missing.pop(entry.name, None)
            if expected is None or safe.name != entry.name or not entry.isreg() or entry.size != expected.size:
                raise _damaged(file, f"{entry.name!r} is not what the manifest says")
            content = archive.extractfile(entry)
            assert content is not None, "a regular file"
            (folder / entry.name).parent.mkdir(parents=True, exist_ok=True)
            if _write(content, folder / entry.name) != expected.sha256:
                raise _damaged(file, f"{entry.name!r} has another SHA-256 than the manifest says")
        if missing:
            raise _damaged(file, f"{min(missing)!r} is missing")
    return manifest


@contextmanager
def _opened(file: Path) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(file, "r|gz") as archive:
            yield archive
    except _DAMAGES as error:
        raise _damaged(file, str(error) or "it ends too early") from error
    except FileNotFoundError as error:
        raise BackupError(f"There is no backup at {str(file)!r}: check the path.") from error
    except OSError as error:
        raise BackupError(f"The backup {str(file)!r} cannot be restored ({error.strerror or error}).") from error


def _read_manifest(file: Path, archive: tarfile.TarFile) -> Manifest:
    entry = archive.next()
    if entry is None or entry.name != MANIFEST or not entry.isreg() or entry.size > _LONGEST_MANIFEST:
        raise _damaged(file, "it does not begin with a manifest")
    content = archive.extractfile(entry)
    assert content is not None, "a regular file"
    try:
        return Manifest.model_validate_json(content.read())
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        if first["loc"] == ("format",):
            raise BackupError(
                f"The backup {str(file)!r} was made by a newer Footnote: restore it with that."
            ) from error
        raise _damaged(file, f"its manifest has no {'.'.join(map(str, first['loc']))}") from error


def _write(content: IO[bytes], target: Path) -> str:
    """Copy to a new file and return its SHA-256."""
    digest = hashlib.sha256()
    with target.open("xb") as file:
        while block := content.read(_BLOCK):
            digest.update(block)
            file.write(block)
    return digest.hexdigest()


def _damaged(file: Path, reason: str) -> BackupError:
    return BackupError(
        f"The file {str(file)!r} is no whole backup ({reason}): take another copy of it. Nothing was restored."
    )


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
            Path(temporary, "backup").chmod(0o600)
            move_durably(Path(temporary, "backup"), target.absolute())
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
