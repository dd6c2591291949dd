"""The vectors of a generation, written by a process that sees vectors and ids and no text.

Chroma allocates more than it fills and writes all of it to the disk, with whatever that memory held before: here that
may be documents that are to be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np

from index.generation.children import Child
from index.store.chunk_sets import VectorPage
from index.store.failpoints import limit_file_size


def write_vectors(folder: Path, come: Iterable[VectorPage], gone: Iterable[Sequence[str]] | None = None) -> None:
    """Write a Chroma collection into a new folder, or change one.

    Args:
        folder: Where; if `gone` is given, a collection that nobody else has open.
        come: Ids and vectors to put in.
        gone: Pages of ids to take out first.

    Raises:
        IndexingError: It cannot be written.
    """
    child = Child(_write, folder, gone is None)
    for ids in gone or ():
        child.give(list(ids))
    for ids, vectors in come:
        child.give((list(ids), vectors.shape, vectors.astype("<f4").tobytes()))
    child.give(None)
    child.end()


def _write(given: Connection, folder: Path, new: bool) -> str:  # noqa: FBT001  # called with what was pickled
    from index.search.vectors import write_vector_index  # imported by the server already

    limit_file_size(folder.parents[2])
    write_vector_index(folder, _received(given), new=new)
    return ""


def _received(given: Connection) -> Iterator[Sequence[str] | VectorPage]:
    while (one := given.recv()) is not None:
        if isinstance(one, tuple):
            ids, shape, content = one
            yield ids, np.frombuffer(content, dtype="<f4").reshape(shape)
        else:
            yield one
