"""Where generations lie, what is kept of them, and how their files are made to survive a power cut.

What a generation was made of, and the sizes and checksums of its files: written last, read before anything else.
"""

from __future__ import annotations

import json
import os
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from index.errors import IndexingError


def generations_folder(data_dir: Path) -> Path:
    """Return the folder that holds all generations."""
    return data_dir / "generations"


def generation_folder(data_dir: Path, name: str) -> Path:
    """Return the folder of one generation."""
    return generations_folder(data_dir) / name


def next_name(live: str) -> str:
    """Return the name of the generation after the live one; the first one's if there is none."""
    return f"{int(live or 0) + 1:06d}"


def sweep_generations(data_dir: Path, *, keep: str) -> None:
    """Delete every generation but the one named, and what interrupted builds have left."""
    parent = generations_folder(data_dir)
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def make_durable(folder: Path) -> None:
    """Have the system write a folder, all below it and its name to the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


_NAME: Final = "manifest.json"
_AT_ONCE: Final = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of.

    Attributes:
        chunks: How many chunks it holds.
        fingerprint: Of the chunks' ids and the embedding model, as `fingerprint_of` makes it.
        embedding_model: Which model made the vectors.
        chroma_version: Which Chroma wrote them.
        keywords_version: How words were cut and stored.
        taken_out: How many chunks were taken out again since it was built from nothing.
        files: Size in bytes and CRC-32 of every file, by its path in the folder.
    """

    chunks: int
    fingerprint: str
    embedding_model: str
    chroma_version: str
    keywords_version: str
    taken_out: int
    files: Mapping[str, tuple[int, int]]


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write a manifest into the folder of its generation."""
    content = {"checksum": _checksum(manifest), **asdict(manifest)}
    (folder / _NAME).write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """Return the manifest of a generation.

    Raises:
        IndexingError: There is none, or it is not as it was written.
    """
    error: Exception | None = None
    try:
        found = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        checksum = found.pop("checksum")
        files = {str(name): (int(size), int(crc)) for name, (size, crc) in found.pop("files").items()}
        manifest = Manifest(**found, files=files)
        if _checksum(manifest) == checksum:
            return manifest
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as wrong:
        error = wrong
    raise IndexingError(
        f"The index in {str(folder)!r} is missing or damaged: run `footnote index` to build it again from the database."
    ) from error


def describe_files(folder: Path) -> dict[str, tuple[int, int]]:
    """Return the size in bytes and the CRC-32 of every file but the manifest, by its path in the folder."""
    paths = sorted(path for path in folder.rglob("*") if path.is_file() and path.name != _NAME)
    return {path.relative_to(folder).as_posix(): _describe(path) for path in paths}


def damaged_files(folder: Path, manifest: Manifest) -> frozenset[str]:
    """Return the files that are not as they were written, by their paths in the folder."""
    return frozenset(name for name, written in manifest.files.items() if not _is_as_written(folder / name, written))


def _checksum(manifest: Manifest) -> int:
    return zlib.crc32(json.dumps(asdict(manifest), sort_keys=True).encode())


def _is_as_written(path: Path, written: tuple[int, int]) -> bool:
    try:
        return path.stat().st_size == written[0] and _describe(path) == written
    except OSError:
        return False


def _describe(path: Path) -> tuple[int, int]:
    size = checksum = 0
    with path.open("rb") as file:
        while some := file.read(_AT_ONCE):
            size += len(some)
            checksum = zlib.crc32(some, checksum)
    return size, checksum
