"""A generation opened for search. Damaged files are not opened: their content is read from the database instead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from index.errors import IndexingError
from index.generation.manifest import GenerationManifest, damaged_files, generation_folder, read_manifest
from index.search.exact import ExactIndex, StoredVectors, VectorSearch
from index.search.keywords import KeywordIndex, WordStatistics, build_keyword_index
from index.store.chunk_sets import ChunkSet
from index.text.words import content_words

_ASSUMED_CHUNKS: Final = 1_000
_SOON_BUILT: Final = 5_000  # chunks whose keyword index is built within seconds


class NoKeywords:
    """Takes the place of a damaged keyword index that takes long to build. Finds nothing."""

    def search(
        self, question: str, limit: int, also: Sequence[str] = (), phrase_weight: float = 0.0
    ) -> list[tuple[str, float]]:
        """Return nothing."""
        return []

    def statistics(self, question: str) -> WordStatistics:
        """Return the same frequency for all words, as if each occurred."""
        words = dict.fromkeys((word.key for word in content_words(question)), 1)
        return WordStatistics(words, {}, _ASSUMED_CHUNKS)


class GenerationSnapshot:
    """The search indexes of one state of the catalogue.

    Args:
        data_dir: The data folder.
        name: Name of the generation.
        fingerprint: The fingerprint of its chunks according to the catalogue.
        live: The live chunks, which replace damaged files.

    Attributes:
        problem: The damaged files, empty if there are none.
        vectors: Finds chunks by vectors.
        keywords: Finds chunks by words.
    """

    def __init__(self, data_dir: Path, name: str, fingerprint: str, live: ChunkSet) -> None:
        self.name = name
        self._opened = ExitStack()
        self.vectors: VectorSearch = StoredVectors(live)
        self.keywords: KeywordIndex | NoKeywords = NoKeywords()
        folder = generation_folder(data_dir, name)
        manifest, damaged = _examine(folder, fingerprint)
        self.problem = ", ".join(sorted(damaged))
        if manifest is not None:
            self._open(folder, manifest, damaged)
        if isinstance(self.keywords, NoKeywords) and len(list(islice(live.ids(), _SOON_BUILT + 1))) <= _SOON_BUILT:
            temporary = self._opened.enter_context(TemporaryDirectory(prefix="footnote-keywords-"))
            build_keyword_index(Path(temporary) / "keywords.db", live.chunks())
            self._open_keywords(Path(temporary))

    def close(self) -> None:
        """Close its files."""
        self._opened.close()

    def _open(self, folder: Path, manifest: GenerationManifest, damaged: frozenset[str]) -> None:
        def is_whole(part: str) -> bool:
            names = [name for name in manifest.files if name.partition("/")[0] == part]
            return bool(names) and not damaged.intersection(names)

        if is_whole("keywords.db"):
            self._open_keywords(folder)
        if is_whole("exact"):
            self.vectors = ExactIndex(folder / "exact")
        elif is_whole("chroma"):
            from index.search.vectors import VectorIndex  # takes a second to import

            with suppress(IndexingError):  # such as no room for its copy: the database answers
                self.vectors = vectors = VectorIndex(folder / "chroma")
                self._opened.callback(vectors.close)

    def _open_keywords(self, folder: Path) -> None:
        self.keywords = keywords = KeywordIndex(folder / "keywords.db")
        self._opened.callback(keywords.close)


def problem_of(data_dir: Path, name: str, fingerprint: str) -> str:
    """Return the damaged files of a generation, an empty text if there are none."""
    _, damaged = _examine(generation_folder(data_dir, name), fingerprint)
    return ", ".join(sorted(damaged))


def _examine(folder: Path, fingerprint: str) -> tuple[GenerationManifest | None, frozenset[str]]:
    """Return the manifest, unless it is damaged or has another fingerprint, and the names of damaged files."""
    with suppress(IndexingError):
        manifest = read_manifest(folder)
        if manifest.fingerprint == fingerprint:
            return manifest, damaged_files(folder, manifest)
    return None, frozenset({"manifest.json"})
