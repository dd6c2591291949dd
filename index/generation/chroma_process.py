"""Child processes that open Chroma instead of this one: one writes a generation's vectors, one verifies a generation.

Chroma may end the process that opens damaged files (chroma-core/chroma#7238); in a child that is an error message.
Chroma also writes uninitialised memory to its files: a child that never holds document text cannot leak any.
"""

from __future__ import annotations

import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import numpy as np

from index.document import Chunk
from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.generation.manifest import read_manifest
from index.search.exact import ExactIndex
from index.search.keywords import KeywordIndex
from index.store.chunk_sets import VectorPage, fingerprint_of
from index.store.failpoints import limit_file_size

_PRELOADED: Final = ["index.generation.chroma_process", "index.search.vectors"]
_NEIGHBOURS: Final = 50  # the graph search is approximate, and the same text may occur in several chunks
_SAME: Final = 0.999  # cosine


class ChildProcess:
    """A process that runs one function.

    Args:
        work: Called in the child with a connection to receive from, and the arguments; returns an error message or "".
        arguments: Can be pickled.
    """

    def __init__(self, work: Callable[..., str], *arguments: object) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(_PRELOADED)
        receiving, self._sending = context.Pipe(duplex=False)
        self._result, answering = context.Pipe(duplex=False)
        self._process = context.Process(target=_run, args=(work, receiving, answering, arguments), daemon=True)
        self._process.start()
        receiving.close()
        answering.close()

    def send(self, item: object) -> None:
        """Send the child an object. If it has ended already, `finish` reports that."""
        try:
            self._sending.send(item)
        except BrokenPipeError:
            return

    def finish(self) -> None:
        """Wait for the child to end.

        Raises:
            IndexingError: It failed, or died.
        """
        self._sending.close()
        with closing(self._result):
            try:
                problem = self._result.recv()
            except EOFError:
                self._process.join()
                problem = f"a process that opened Chroma ended with code {self._process.exitcode}"
        self._process.join()
        if problem:
            raise IndexingError(problem)


def _run(work: Callable[..., str], receiving: Connection, answering: Connection, arguments: tuple[Any, ...]) -> None:
    try:
        answering.send(work(receiving, *arguments))
    except EOFError:
        return  # the parent process has ended
    except (IndexingError, OSError) as error:
        answering.send(str(error))


def write_vectors(folder: Path, added: Iterable[VectorPage], removed: Iterable[Sequence[str]] | None = None) -> None:
    """Write a Chroma collection into a new folder, or change one.

    Args:
        folder: The collection's folder; if `removed` is given, one that no other process has open.
        added: Ids and vectors to add.
        removed: Pages of ids to remove first.

    Raises:
        IndexingError: It cannot be written.
    """
    child = ChildProcess(_write, folder, removed is None)
    for ids in removed or ():
        child.send(list(ids))
    for ids, vectors in added:
        child.send((list(ids), vectors.shape, vectors.astype("<f4").tobytes()))
    child.send(None)
    child.finish()


def _write(connection: Connection, folder: Path, new: bool) -> str:  # noqa: FBT001  # called with pickled arguments
    from index.search.vectors import write_vector_index  # preloaded

    limit_file_size(folder.parents[2])
    write_vector_index(folder, _received(connection), new=new)
    return ""


def _received(connection: Connection) -> Iterator[Sequence[str] | VectorPage]:
    while (item := connection.recv()) is not None:
        if isinstance(item, tuple):
            ids, shape, content = item
            yield ids, np.frombuffer(content, dtype="<f4").reshape(shape)
        else:
            yield item


def verify_generation(folder: Path, sample: Sequence[tuple[Chunk, Vectors]]) -> None:
    """Compare a generation with its manifest, and search it for the vectors of some of its chunks.

    Raises:
        IndexingError: They differ, or the process that opened it died.
    """
    known = [(chunk.chunk_id, vector.tobytes()) for chunk, vector in sample]
    try:
        ChildProcess(_find_difference, folder, known).finish()
    except IndexingError as error:
        raise IndexingError(
            f"The new index in {str(folder)!r} differs from the database ({error}): index again."
        ) from error


def _find_difference(_connection: Connection, folder: Path, known: Sequence[tuple[str, bytes]]) -> str:
    from index.search.vectors import VectorIndex  # preloaded

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
            found = dict(vectors.search(np.frombuffer(stored, dtype="<f4"), _NEIGHBOURS))
            if found.get(chunk_id, max(found.values(), default=0.0)) < _SAME:
                return f"its vector of {chunk_id} is another"
    return ""
