"""Folders of generations, and the manifest of each: its contents and the checksums of its files, written last."""

from __future__ import annotations

import json
import shutil
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from index.errors import IndexingError
from index.store.atomic_file import flush_to_disk


def generations_folder(data_dir: Path) -> Path:
    """Return the folder that holds all generations."""
    return data_dir / "generations"


def generation_folder(data_dir: Path, name: str) -> Path:
    """Return the folder of one generation."""
    return generations_folder(data_dir) / name


def next_name(live: str) -> str:
    """Return the name of the generation after the live one, or of the first."""
    return f"{int(live or 0) + 1:06d}"


def sweep_generations(data_dir: Path, *, keep: str) -> None:
    """Delete every generation but the one named, and the remains of interrupted builds."""
    parent = generations_folder(data_dir)
    for folder in parent.iterdir() if parent.is_dir() else ():
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


def make_durable(folder: Path) -> None:
    """Flush a folder, everything below it and its name to the disk."""
    for path in [*folder.rglob("*"), folder, folder.parent]:
        flush_to_disk(path)


_NAME: Final = "manifest.json"
_BLOCK: Final = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class GenerationManifest:
    """The contents of a generation.

    Attributes:
        chunks: How many chunks it holds.
        fingerprint: Of the chunks' ids and the embedding model, as `fingerprint_of` makes it.
        embedding_model: Id of the model that made the vectors.
        chroma_version: Version of Chroma that wrote them.
        keywords_version: Version of the keyword file, as `KEYWORDS_VERSION`.
        taken_out: How many chunks were removed since it was built from the database.
        files: Size in bytes and CRC-32 of every file, by its path in the folder.
    """

    chunks: int
    fingerprint: str
    embedding_model: str
    chroma_version: str
    keywords_version: str
    taken_out: int
    files: Mapping[str, tuple[int, int]]


def write_manifest(folder: Path, manifest: GenerationManifest) -> None:
    """Write a manifest into the folder of its generation."""
    content = {"checksum": _checksum(manifest), **asdict(manifest)}
    (folder / _NAME).write_text(json.dumps(content, indent=1), encoding="utf-8")


def read_manifest(folder: Path) -> GenerationManifest:
    """Return the manifest of a generation.

    Raises:
        IndexingError: There is none, or its checksum is wrong.
    """
    error: Exception | None = None
    try:
        found = json.loads((folder / _NAME).read_text(encoding="utf-8"))
        checksum = found.pop("checksum")
        files = {str(name): (int(size), int(crc)) for name, (size, crc) in found.pop("files").items()}
        manifest = GenerationManifest(**found, files=files)
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


def damaged_files(folder: Path, manifest: GenerationManifest) -> frozenset[str]:
    """Return the paths in the folder of files whose size or checksum is wrong."""
    return frozenset(name for name, written in manifest.files.items() if not _is_as_written(folder / name, written))


def _checksum(manifest: GenerationManifest) -> int:
    return zlib.crc32(json.dumps(asdict(manifest), sort_keys=True).encode())


def _is_as_written(path: Path, written: tuple[int, int]) -> bool:
    try:
        return path.stat().st_size == written[0] and _describe(path) == written
    except OSError:
        return False


def _describe(path: Path) -> tuple[int, int]:
    size = checksum = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            size += len(block)
            checksum = zlib.crc32(block, checksum)
    return size, checksum
