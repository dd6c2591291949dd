"""Generations: the search indexes of one state of the catalogue, built beside the live one and never changed.

    data/generations/<name>/chroma/         vectors
                            exact/          the same, while they are few enough to be compared one by one
                            keywords.db     words
                            manifest.json   what it was made of, written last

A generation becomes live when `Catalogue.publish` commits its name. Until then nobody reads it.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.exact import EXACT_UP_TO, ExactIndex, build_exact_index
from index.keywords import KeywordIndex, build_keyword_index
from index.server_vectors import VectorSearch

Pages = Iterable[list[tuple[Chunk, Vectors]]]
Progress = Callable[[str, int], None]


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation was made of."""

    chunks: int
    fingerprint: str
    embedding_model: str
    chroma_version: str


def generations_folder(data_dir: Path) -> Path:
    """Return the folder that holds all generations."""
    return data_dir / "generations"


def build_generation(
    data_dir: Path, pages: Callable[[], Pages], *, embedding_model: str, progress: Progress | None = None
) -> tuple[str, Manifest]:
    """Build and verify a generation from pages of chunks, and return its name and manifest.

    Args:
        data_dir: The data folder.
        pages: Called for each index that is built; yields pages of chunks and vectors ordered by chunk id.
        embedding_model: Which model made the vectors.
        progress: Called with a stage ("vectors", "keywords", "exact", "check") and how many chunks it has been given.

    Raises:
        IndexingError: What was written cannot be read back whole.
    """
    from index.vectors import build_vector_index, chroma_version  # noqa: PLC0415  # Chroma takes a second to import

    parent = generations_folder(data_dir)
    parent.mkdir(parents=True, exist_ok=True)
    name = f"{max((int(path.name) for path in _existing(parent)), default=0) + 1:06d}"
    folder = parent / name
    folder.mkdir()
    digest = hashlib.sha256(embedding_model.encode())
    tell = progress or (lambda _stage, _done: None)
    vectors = build_vector_index(folder / "chroma", _fingerprinted(_counted(pages(), "vectors", tell), digest))
    texts = ([chunk for chunk, _ in page] for page in _counted(pages(), "keywords", tell))
    words = build_keyword_index(folder / "keywords.db", texts)
    if vectors <= EXACT_UP_TO:
        build_exact_index(folder / "exact", _counted(pages(), "exact", tell))
    tell("check", vectors)
    manifest = Manifest(vectors, digest.hexdigest()[:32], embedding_model, chroma_version())
    if vectors != words:
        raise IndexingError(f"The new index in {str(folder)!r} holds {vectors} vectors, {words} texts: index again.")
    (folder / "manifest.json").write_text(json.dumps(asdict(manifest), indent=2), encoding="utf-8")
    Generation(data_dir, name).close()  # read back before anybody depends on it
    _make_durable(folder)
    return name, manifest


def sweep_generations(data_dir: Path, *, keep: str) -> None:
    """Delete every generation but the one named."""
    for folder in _existing(generations_folder(data_dir)):
        if folder.name != keep:
            shutil.rmtree(folder, ignore_errors=True)


class Generation:
    """A live generation, open for search.

    Raises:
        IndexingError: Its folder is missing or damaged.
    """

    def __init__(self, data_dir: Path, name: str) -> None:
        from index.vectors import VectorIndex  # noqa: PLC0415  # the page is shown before Chroma is there

        folder = generations_folder(data_dir) / name
        try:
            self.manifest = Manifest(**json.loads((folder / "manifest.json").read_text(encoding="utf-8")))
        except (OSError, ValueError, TypeError) as error:
            raise IndexingError(
                f"The index in {str(folder)!r} is missing or damaged: "
                "run `footnote index` to build it again from the database."
            ) from error
        self.name = name
        self._chroma = VectorIndex(folder / "chroma")
        few = self.manifest.chunks <= EXACT_UP_TO
        vectors: ExactIndex | VectorIndex = ExactIndex(folder / "exact") if few else self._chroma
        self.vectors: VectorSearch = vectors
        self.keywords = KeywordIndex(folder / "keywords.db")
        counts = [self._chroma.count(), vectors.count(), self.keywords.count()]
        if any(count != self.manifest.chunks for count in counts):
            raise IndexingError(
                f"The index in {str(folder)!r} holds {min(counts[:2])} vectors and {counts[2]} texts instead of "
                f"{self.manifest.chunks}: run `footnote index` to build it again from the database."
            )

    def close(self) -> None:
        """Release its files."""
        self._chroma.close()
        self.keywords.close()


def is_whole(data_dir: Path, name: str, embedding_model: str) -> bool:
    """Return whether a generation can be opened, holds what its manifest says, and has the vectors of the model."""
    try:
        generation = Generation(data_dir, name)
    except IndexingError:
        return False
    generation.close()
    return generation.manifest.embedding_model == embedding_model


def _existing(parent: Path) -> list[Path]:
    return [path for path in parent.iterdir() if path.name.isdigit()] if parent.is_dir() else []


def _counted(pages: Pages, stage: str, tell: Progress) -> Iterator[list[tuple[Chunk, Vectors]]]:
    done = 0
    tell(stage, done)
    for page in pages:
        yield page
        done += len(page)
        tell(stage, done)


def _fingerprinted(pages: Pages, digest: hashlib._Hash) -> Iterator[list[tuple[Chunk, Vectors]]]:
    for page in pages:
        for chunk, _ in page:
            digest.update(chunk.chunk_id.encode())
        yield page


def _make_durable(folder: Path) -> None:
    for path in [*folder.rglob("*"), folder, folder.parent]:
        descriptor = os.open(path, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
