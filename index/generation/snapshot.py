"""A generation that is open for search. Of damaged files none is opened: what they held is taken from the database."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack, suppress
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, Protocol

from index.errors import IndexingError
from index.generation.manifest import Manifest, damaged_files, generation_folder, read_manifest
from index.search.exact import ExactIndex, StoredVectors
from index.search.keyword_files import build_keyword_index
from index.search.keywords import KeywordIndex, WordStatistics
from index.search.vectors import VectorSearch
from index.store.chunk_sets import ChunkSet
from index.text.words import content_words

_AS_IF: Final = 1_000  # chunks
_SOON_BUILT: Final = 5_000  # chunks, whose keywords take a few seconds


class KeywordSearch(Protocol):
    """Finds chunks by their words."""

    def search(
        self, question: str, limit: int, also: Sequence[str] = (), phrase_weight: float = 0.0
    ) -> list[tuple[str, float]]:
        """Return (chunk id, BM25 score) pairs, best first."""

    def statistics(self, question: str) -> WordStatistics:
        """Return how often the content words of a question occur."""


class NoKeywords:
    """Finds nothing: in the place of a damaged keyword index that takes long to build."""

    def search(
        self, question: str, limit: int, also: Sequence[str] = (), phrase_weight: float = 0.0
    ) -> list[tuple[str, float]]:
        """Return nothing."""
        return []

    def statistics(self, question: str) -> WordStatistics:
        """Return that all words are equally rare: which of them stand nowhere is not known."""
        return WordStatistics(dict.fromkeys((word.key for word in content_words(question)), 1), {}, _AS_IF)


class Generation:
    """The search indexes of one state of the catalogue.

    Args:
        data_dir: The data folder.
        name: Which generation.
        fingerprint: Of what it must hold, as the catalogue says.
        live: The chunks that it must hold, for what its files cannot give.

    Attributes:
        problem: What is wrong with its files, empty if nothing is.
        vectors: Finds chunks by vectors.
        keywords: Finds chunks by words.
    """

    def __init__(self, data_dir: Path, name: str, fingerprint: str, live: ChunkSet) -> None:
        self.name = name
        self._opened = ExitStack()
        self.vectors: VectorSearch = StoredVectors(live)
        self.keywords: KeywordSearch = NoKeywords()
        folder = generation_folder(data_dir, name)
        manifest, damaged = _examine(folder, fingerprint)
        self.problem = ", ".join(sorted(damaged))
        if manifest is not None:
            self._open(folder, manifest, damaged)
        if isinstance(self.keywords, NoKeywords) and len(list(islice(live.ids(), _SOON_BUILT + 1))) <= _SOON_BUILT:
            self._keep_keywords_apart(live)

    def close(self) -> None:
        """Release its files."""
        self._opened.close()

    def _open(self, folder: Path, manifest: Manifest, damaged: frozenset[str]) -> None:
        def is_whole(part: str) -> bool:
            names = [name for name in manifest.files if name.partition("/")[0] == part]
            return bool(names) and not damaged.intersection(names)

        if is_whole("keywords.db"):
            self.keywords = keywords = KeywordIndex(folder / "keywords.db")
            self._opened.callback(keywords.close)
        if is_whole("exact"):
            self.vectors = ExactIndex(folder / "exact")
        elif is_whole("chroma"):
            from index.search.vectors import VectorIndex  # takes a second to import

            with suppress(IndexingError):  # such as no room for its copy: the database answers
                self.vectors = vectors = VectorIndex(folder / "chroma")
                self._opened.callback(vectors.close)

    def _keep_keywords_apart(self, live: ChunkSet) -> None:
        """Build a keyword index of the chunks for this process alone."""
        folder = self._opened.enter_context(TemporaryDirectory(prefix="footnote-keywords-"))
        build_keyword_index(Path(folder) / "keywords.db", live.chunks())
        self.keywords = keywords = KeywordIndex(Path(folder) / "keywords.db")
        self._opened.callback(keywords.close)


def problem_of(data_dir: Path, name: str, fingerprint: str) -> str:
    """Return what is wrong with the files of a generation, nothing if they are as they were written."""
    _, damaged = _examine(generation_folder(data_dir, name), fingerprint)
    return ", ".join(sorted(damaged))


def _examine(folder: Path, fingerprint: str) -> tuple[Manifest | None, frozenset[str]]:
    """Return the manifest, if it is one of what the generation must hold, and the names of damaged files."""
    try:
        manifest = read_manifest(folder)
    except IndexingError:
        return None, frozenset({"manifest.json"})
    if manifest.fingerprint != fingerprint:
        return None, frozenset({"manifest.json"})
    return manifest, damaged_files(folder, manifest)
