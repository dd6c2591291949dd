"""Vector search over one generation with Chroma: the only module that imports it.

A collection is written once, in a new folder, and only read afterwards: Chroma's local writer does not survive being
killed while it writes (chroma-core/chroma#7238), so all that it stores can be built again from the database.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

import chromadb
from chromadb.config import Settings as ChromaSettings
from chromadb.errors import ChromaError

from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.store.chunk_sets import VectorPage
from index.store.failpoints import limit_file_size

_COLLECTION = "chunks"
_BATCH = 1_000
_IDS_AT_ONCE = 100_000  # each page skips over all ids before it: in pages of 1,000 a million took minutes
_SMALL = 50_000_000  # bytes, which are copied in a tenth of a second
# With beams this wide the graph finds .99 of the 50 best by exact search at 10,000 chunks, and .98 at 100,000.
_GRAPH = {"space": "cosine", "ef_construction": 200, "ef_search": 200, "max_neighbors": 32}


def write_vector_index(folder: Path, changes: Iterable[Sequence[str] | VectorPage], *, new: bool) -> None:
    """Write a Chroma collection, or change one that no other process has open.

    Args:
        folder: The folder of the collection.
        changes: Pages of ids to remove, and pages of ids and vectors to add.
        new: Create the collection.

    Raises:
        OSError: Chroma cannot write it.
    """
    try:
        with closing(_open(folder)) as client:
            collection = (
                client.create_collection(_COLLECTION, configuration={"hnsw": _GRAPH}, embedding_function=None)
                if new
                else client.get_collection(_COLLECTION, embedding_function=None)
            )
            for change in changes:
                ids, vectors = change if isinstance(change, tuple) else (change, None)
                for start in range(0, len(ids), _BATCH):
                    some = slice(start, start + _BATCH)
                    if vectors is None:
                        collection.delete(ids=list(ids[some]))
                    else:
                        collection.add(ids=list(ids[some]), embeddings=vectors[some])
    except (ChromaError, AttributeError) as error:  # as in `VectorIndex`
        raise OSError(str(error).splitlines()[0]) from error


class VectorIndex:
    """Searches a folder made by `write_vector_index`, which is not changed: Chroma opens a copy.

    Chroma writes into its database whenever it is opened, and needs a folder that it may write to. In the copy of a
    large folder the vectors are links: Chroma only reads them, unless there are fewer than a thousand.

    Raises:
        IndexingError: The folder is missing or damaged.
    """

    def __init__(self, folder: Path) -> None:
        limit_file_size(folder)
        self._folder = folder
        self._copy = TemporaryDirectory(prefix="footnote-chroma-", ignore_cleanup_errors=True)
        try:
            _copy_to_open(folder, Path(self._copy.name))
            self._client = _open(Path(self._copy.name))
            self._collection = self._client.get_collection(_COLLECTION, embedding_function=None)
            self._count = int(self._collection.count())
        except (ChromaError, OSError, AttributeError) as error:  # AttributeError: chromadb 1.5.9 cleaning up
            self._copy.cleanup()
            raise _damaged(folder, error) from error

    def chunk_ids(self) -> Iterator[str]:
        """Yield the ids of all chunks, in no order."""
        for start in range(0, self._count, _IDS_AT_ONCE):
            yield from self._collection.get(include=[], limit=_IDS_AT_ONCE, offset=start)["ids"]

    def search(self, vector: Vectors, limit: int) -> list[tuple[str, float]]:
        """Return up to `limit` (chunk id, cosine similarity) pairs, best first.

        Raises:
            IndexingError: The folder is gone or damaged.
        """
        if not self._count:
            return []
        try:
            found = self._collection.query(
                query_embeddings=[vector], n_results=min(limit, self._count), include=["distances"]
            )
        except ChromaError as error:
            raise _damaged(self._folder, error) from error
        distances = (found["distances"] or [[]])[0]
        pairs = [
            (chunk_id, 1.0 - float(distance)) for chunk_id, distance in zip(found["ids"][0], distances, strict=True)
        ]
        return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))

    def close(self) -> None:
        """Release the folder."""
        self._client.close()
        self._copy.cleanup()


def chroma_version() -> str:
    """Return the version of Chroma that writes generations."""
    return str(chromadb.__version__)


def _open(folder: Path) -> chromadb.api.ClientAPI:
    return chromadb.PersistentClient(str(folder), settings=ChromaSettings(anonymized_telemetry=False))


def _copy_to_open(folder: Path, target: Path) -> None:
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    for path in folder.iterdir():
        if not path.is_dir():
            shutil.copyfile(path, target / path.name)
        elif size <= _SMALL:
            shutil.copytree(path, target / path.name)
        else:
            (target / path.name).symlink_to(path.absolute(), target_is_directory=True)


def _damaged(folder: Path, error: Exception) -> IndexingError:
    reason = str(error).splitlines()[0]
    return IndexingError(f"The vectors in {str(folder)!r} cannot be read ({reason}): run `footnote index` again.")
