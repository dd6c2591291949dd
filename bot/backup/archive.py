"""The file of a backup: a gzipped tar whose first member, the manifest, names the size and SHA-256 of every other."""

from __future__ import annotations

import gzip
import hashlib
import shutil
import tarfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from pydantic import ValidationError

from bot.backup.manifest import MANIFEST, Manifest, Member
from bot.errors import BackupError

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
