"""Building a generation in a folder of its own: from the database, or from a copy of the live one if little changed.

A copy costs writing the files again and a few milliseconds for each changed chunk, a build about two milliseconds for
every chunk (docs/performance.md). A copy keeps the space of removed chunks, so after many changes one is built anew.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from index.document import Chunk
from index.errors import IndexingError
from index.generation.chroma_process import verify_generation, write_vectors
from index.generation.manifest import (
    GenerationManifest,
    damaged_files,
    describe_files,
    make_durable,
    read_manifest,
    write_manifest,
)
from index.search.exact import EXACT_UP_TO, build_exact_index
from index.search.keywords import KEYWORDS_VERSION, build_keyword_index, change_keyword_index
from index.store.chunk_sets import ChunkSet, ChunkSets, VectorPage, fingerprint_of
from index.store.failpoints import failpoint, limit_file_size

BuildProgress = Callable[[str, int], None]
_Page = TypeVar("_Page", list[Chunk], VectorPage)

CHANGED_FROM: Final = 2_000  # chunks; fewer are built anew in seconds
MOST_CHANGED: Final = 0.1  # share of the chunks
MOST_TAKEN_OUT: Final = 0.2  # share of the chunks, since the last build
_SAMPLE: Final = 20  # chunks whose vectors are searched for; the first ones, since chunks are ordered by a hash


@dataclass(frozen=True, slots=True)
class GenerationChange:
    """The difference between the live generation and the next.

    Attributes:
        replaced: Ids of the live documents that are removed.
        removed: How many chunks these have.
        added: How many chunks the staged documents have.
    """

    replaced: Collection[str]
    removed: int
    added: int


class GenerationBuilder:
    """Writes generations. The caller holds the lock of the data folder.

    Args:
        chunk_sets: The chunks of the catalogue.
        embedding_model: Id of the model that made the vectors.
        progress: Called with a stage ("vectors", "keywords", "exact", "check") and how many chunks it has done.
    """

    def __init__(self, chunk_sets: ChunkSets, embedding_model: str, progress: BuildProgress | None = None) -> None:
        self._sets = chunk_sets
        self._model = embedding_model
        self._report = progress or (lambda _stage, _done: None)

    def build(self, folder: Path, chunks: ChunkSet) -> GenerationManifest:
        """Write a generation of a set of chunks into a new folder, verify it, and flush it to disk.

        Raises:
            IndexingError: The files differ from the database.
        """
        limit_file_size(folder.parents[1])
        folder.mkdir(parents=True)
        write_vectors(folder / "chroma", self._counting(chunks.vectors(), "vectors"))
        failpoint("vectors")
        build_keyword_index(folder / "keywords.db", self._counting(chunks.chunks(), "keywords"))
        failpoint("keywords")
        return self._finish(folder, chunks, taken_out=0)

    def change(self, folder: Path, live: Path, change: GenerationChange) -> GenerationManifest:
        """Write a changed copy of the live generation into a new folder, verify it, and flush it to disk.

        Raises:
            IndexingError: The files differ from the database.
        """
        limit_file_size(folder.parents[1])
        removed = [self._sets.of_live_document(document_id) for document_id in change.replaced]
        added = self._sets.staged()
        shutil.copytree(live, folder, ignore=shutil.ignore_patterns("manifest.json", "exact"))
        removed_ids = (list(chunks.ids()) for chunks in removed)
        write_vectors(folder / "chroma", self._counting(added.vectors(), "vectors"), removed_ids)
        failpoint("vectors")
        removed_pages = (page for chunks in removed for page in chunks.chunks())
        change_keyword_index(folder / "keywords.db", removed_pages, self._counting(added.chunks(), "keywords"))
        failpoint("keywords")
        taken_out = read_manifest(live).taken_out + change.removed
        return self._finish(folder, self._sets.future(change.replaced), taken_out=taken_out)

    def can_change(self, live: Path, change: GenerationChange) -> bool:
        """Return whether a copy of the live generation can be changed, and is cheaper than a build."""
        from index.search.vectors import chroma_version  # takes a second to import

        try:
            manifest = read_manifest(live)
        except IndexingError:
            return False
        same_format = (manifest.embedding_model, manifest.chroma_version, manifest.keywords_version) == (
            self._model,
            chroma_version(),
            KEYWORDS_VERSION,
        )
        is_small = (
            manifest.chunks >= CHANGED_FROM
            and change.removed + change.added <= MOST_CHANGED * manifest.chunks
            and manifest.taken_out + change.removed <= MOST_TAKEN_OUT * manifest.chunks
        )
        return same_format and is_small and not damaged_files(live, manifest)

    def _finish(self, folder: Path, chunks: ChunkSet, *, taken_out: int) -> GenerationManifest:
        from index.search.vectors import chroma_version  # as above

        ids = list(chunks.ids())
        if len(ids) <= EXACT_UP_TO:
            build_exact_index(folder / "exact", self._counting(chunks.vectors(), "exact"))
        failpoint("exact")
        manifest = GenerationManifest(
            chunks=len(ids),
            fingerprint=fingerprint_of(self._model, ids),
            embedding_model=self._model,
            chroma_version=chroma_version(),
            keywords_version=KEYWORDS_VERSION,
            taken_out=taken_out,
            files=describe_files(folder),
        )
        write_manifest(folder, manifest)
        failpoint("manifest")
        self._report("check", len(ids))
        verify_generation(folder, next(chunks.pages(), [])[:_SAMPLE])
        failpoint("check")
        make_durable(folder)
        failpoint("durable")
        return manifest

    def _counting(self, pages: Iterable[_Page], stage: str) -> Iterator[_Page]:
        done = 0
        self._report(stage, done)
        for page in pages:
            yield page
            done += len(page[0] if isinstance(page, tuple) else page)
            self._report(stage, done)
