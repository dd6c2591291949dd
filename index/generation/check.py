"""A new generation is opened and compared with the database in a process of its own before anybody depends on it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import numpy as np

from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.generation.children import Child
from index.generation.manifest import read_manifest
from index.search.exact import ExactIndex
from index.search.keywords import KeywordIndex
from index.store.chunk_sets import fingerprint_of

_NEAR: Final = 50  # where a chunk is looked for by its own vector: a graph is not exact, and texts are repeated
_SAME: Final = 0.999


def check_generation(folder: Path, sample: Sequence[tuple[Chunk, Vectors]]) -> None:
    """Compare a generation with its manifest, and with some chunks and their vectors that it must find.

    Raises:
        IndexingError: They differ, or the process that opened it died.
    """
    known = [(chunk.chunk_id, vector.tobytes()) for chunk, vector in sample]
    try:
        Child(find_problem, folder, known).end()
    except IndexingError as error:
        raise IndexingError(
            f"The new index in {str(folder)!r} is not as it was to be ({error}): index again."
        ) from error


def find_problem(_given: Connection, folder: Path, known: Sequence[tuple[str, bytes]]) -> str:
    """Return what is wrong with a generation, nothing if it is right."""
    from index.search.vectors import VectorIndex  # imported by the server already

    manifest = read_manifest(folder)

    def differs(chunk_ids: Iterable[str]) -> bool:
        return fingerprint_of(manifest.embedding_model, sorted(chunk_ids)) != manifest.fingerprint

    with closing(KeywordIndex(folder / "keywords.db")) as keywords:
        if differs(keywords.chunk_ids()):
            return "its keywords are of other chunks"
    if (folder / "exact").is_dir() and differs(ExactIndex(folder / "exact").chunk_ids()):
        return "its exact vectors are of other chunks"
    with closing(VectorIndex(folder / "chroma")) as vectors:
        if differs(vectors.chunk_ids()):
            return "its vectors are of other chunks"
        for chunk_id, stored in known:
            near = dict(vectors.search(np.frombuffer(stored, dtype="<f4"), _NEAR))
            if near.get(chunk_id, max(near.values(), default=0.0)) < _SAME:
                return f"its vector of {chunk_id} is another"
    return ""
