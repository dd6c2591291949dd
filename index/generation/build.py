"""Building a generation in a folder of its own: from nothing, or from a copy of the live one where little changes.

A copy costs the writing of the files again and a few milliseconds a changed chunk, a build about two milliseconds for
every chunk there is (docs/performance.md). A copy keeps the places of what was taken out, and is built anew in the end.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeVar

from index.document import Chunk
from index.errors import IndexingError
from index.generation.check import check_generation
from index.generation.manifest import (
    Manifest,
    damaged_files,
    describe_files,
    make_durable,
    read_manifest,
    write_manifest,
)
from index.generation.write import write_vectors
from index.search.exact import EXACT_UP_TO, build_exact_index
from index.search.keyword_files import KEYWORDS_VERSION, build_keyword_index, change_keyword_index
from index.store.chunk_sets import ChunkSet, ChunkSets, VectorPage, fingerprint_of
from index.store.failpoints import failpoint, limit_file_size

Progress = Callable[[str, int], None]
_Page = TypeVar("_Page", list[Chunk], VectorPage)

CHANGED_FROM: Final = 2_000  # chunks; fewer are built anew in seconds
MOST_CHANGED: Final = 0.1  # of the chunks
MOST_TAKEN_OUT: Final = 0.2  # of the chunks, since all were built anew
_SAMPLE: Final = 20  # chunks whose vectors are looked for; ordered by their hash, the first are as good as any


@dataclass(frozen=True, slots=True)
class Change:
    """What happens to the chunks of the live generation.

    Attributes:
        replaced: The live documents that go.
        taken_out: How many chunks they have.
        put_in: How many chunks the staged documents have.
    """

    replaced: Collection[str]
    taken_out: int
    put_in: int


class GenerationBuilder:
    """Writes generations. The caller keeps others from writing to the data folder.

    Args:
        chunk_sets: The chunks of the catalogue.
        embedding_model: Which model made the vectors.
        progress: Called with a stage ("vectors", "keywords", "exact", "check") and how many chunks it has been given.
    """

    def __init__(self, chunk_sets: ChunkSets, embedding_model: str, progress: Progress | None = None) -> None:
        self._sets = chunk_sets
        self._model = embedding_model
        self._tell = progress or (lambda _stage, _done: None)

    def build(self, folder: Path, chunks: ChunkSet) -> Manifest:
        """Write a generation of a set of chunks into a new folder, check it, and make it durable.

        Raises:
            IndexingError: What was written is not what was to be written.
        """
        limit_file_size(folder.parents[1])
        folder.mkdir(parents=True)
        write_vectors(folder / "chroma", self._counted(chunks.vectors(), "vectors"))
        failpoint("vectors")
        build_keyword_index(folder / "keywords.db", self._counted(chunks.chunks(), "keywords"))
        failpoint("keywords")
        return self._finish(folder, chunks, taken_out=0)

    def change(self, folder: Path, live: Path, change: Change) -> Manifest:
        """Write a copy of the live generation, the change applied, into a new folder, check it, and make it durable.

        Raises:
            IndexingError: What was written is not what was to be written.
        """
        limit_file_size(folder.parents[1])
        gone = [self._sets.of_live_document(document_id) for document_id in change.replaced]
        come = self._sets.staged()
        shutil.copytree(live, folder, ignore=shutil.ignore_patterns("manifest.json", "exact"))
        ids = (list(some.ids()) for some in gone)
        write_vectors(folder / "chroma", self._counted(come.vectors(), "vectors"), ids)
        failpoint("vectors")
        chunks = (page for some in gone for page in some.chunks())
        change_keyword_index(folder / "keywords.db", chunks, self._counted(come.chunks(), "keywords"))
        failpoint("keywords")
        taken_out = read_manifest(live).taken_out + change.taken_out
        return self._finish(folder, self._sets.future(change.replaced), taken_out=taken_out)

    def can_change(self, live: Path, change: Change) -> bool:
        """Return whether a copy of the live generation can be changed, and whether that is worth it."""
        from index.search.vectors import chroma_version  # as above

        try:
            manifest = read_manifest(live)
        except IndexingError:
            return False
        made_alike = (manifest.embedding_model, manifest.chroma_version, manifest.keywords_version) == (
            self._model,
            chroma_version(),
            KEYWORDS_VERSION,
        )
        little = (
            manifest.chunks >= CHANGED_FROM
            and change.taken_out + change.put_in <= MOST_CHANGED * manifest.chunks
            and manifest.taken_out + change.taken_out <= MOST_TAKEN_OUT * manifest.chunks
        )
        return made_alike and little and not damaged_files(live, manifest)

    def _finish(self, folder: Path, chunks: ChunkSet, *, taken_out: int) -> Manifest:
        from index.search.vectors import chroma_version  # as above

        ids = list(chunks.ids())
        if len(ids) <= EXACT_UP_TO:
            build_exact_index(folder / "exact", self._counted(chunks.vectors(), "exact"))
        failpoint("exact")
        manifest = Manifest(
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
        self._tell("check", len(ids))
        check_generation(folder, next(chunks.pages(), [])[:_SAMPLE])
        failpoint("check")
        make_durable(folder)
        failpoint("durable")
        return manifest

    def _counted(self, pages: Iterable[_Page], stage: str) -> Iterator[_Page]:
        done = 0
        self._tell(stage, done)
        for page in pages:
            yield page
            done += len(page[0] if isinstance(page, tuple) else page)
            self._tell(stage, done)
