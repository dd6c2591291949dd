"""A new generation is opened and compared with the database in a process of its own before anybody depends on it.

Chroma does not fail on bad files, it may end the process that opens them (chroma-core/chroma#7238): here that is a
sentence. The child is forked from a server that has imported Chroma while the generation was being built.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Iterable, Sequence
from contextlib import closing
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np

from index.chunk_sets import fingerprint_of
from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.exact import ExactIndex
from index.generation.manifest import read_manifest
from index.keywords import KeywordIndex

_NEAR: Final = 50  # where a chunk is looked for by its own vector: a graph is not exact, and texts are repeated
_SAME: Final = 0.999


class Checker:
    """Checks generations in child processes; entering it lets the server of these get ready meanwhile."""

    def __enter__(self) -> Self:
        self._context = multiprocessing.get_context("forkserver")
        self._context.set_forkserver_preload([__name__, "index.vectors"])
        forkserver.ensure_running()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        """Leave the server to others; it ends with this process."""

    def check(self, folder: Path, sample: Sequence[tuple[Chunk, Vectors]]) -> None:
        """Compare a generation with its manifest, and with some chunks and their vectors that it must find.

        Raises:
            IndexingError: They differ, or the process that opened it died.
        """
        known = [(chunk.chunk_id, vector.tobytes()) for chunk, vector in sample]
        ours, theirs = self._context.Pipe(duplex=False)
        child = self._context.Process(target=_report, args=(theirs, folder, known), daemon=True)
        child.start()
        theirs.close()
        with closing(ours):
            try:
                problem = ours.recv()
            except EOFError:
                child.join()
                problem = f"the process that opened it ended with code {child.exitcode}"
        child.join()
        if problem:
            raise IndexingError(f"The new index in {str(folder)!r} is not as it was to be ({problem}): index again.")


def _report(answer: Connection, folder: Path, known: Sequence[tuple[str, bytes]]) -> None:
    try:
        answer.send(_problem(folder, known))
    except IndexingError as error:
        answer.send(str(error))


def _problem(folder: Path, known: Sequence[tuple[str, bytes]]) -> str:
    """Return what is wrong with a generation, nothing if it is right."""
    from index.vectors import VectorIndex  # noqa: PLC0415  # imported by the server already

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
