"""Sets of the catalogue's chunks, read page by page in a fixed order to build search indexes and to verify them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from typing import Any, Final

import numpy as np
import sqlalchemy as sa

from index.document import Chunk, Span
from index.embedding.embedder import Vectors
from index.errors import IndexingError
from index.store.schema import CHUNKS, DOCUMENTS, VECTORS

ChunkPage = list[tuple[Chunk, Vectors]]
VectorPage = tuple[Sequence[str], Vectors]  # ids and an array of shape (ids, dimension)

_PAGE, _LARGE_PAGE = 1_000, 10_000  # rows
_ROWS_A_STATEMENT: Final = 500  # below SQLite's limit on bound values
_BYTES_A_NUMBER: Final = 4  # float32
_DOCUMENTS_AT_ONCE: Final = 50  # whose texts are in memory at the same time
_PLACE: Final = sa.tuple_(CHUNKS.c.chunk_id, CHUNKS.c.version_id)


class ChunkSet:
    """Some of the chunks, read page by page and ordered by chunk id, so that the same chunks build the same index.

    Every page is a transaction of its own: the caller prevents publishing meanwhile, or compares the name of the
    generation before and after. `IndexingError` is raised if a document is removed while its chunks are read.

    Args:
        engine: The database.
        contains: Whether the chunks of a document belong to the set, by its id and whether it is live.
        condition: The same in SQL, for small sets. For large ones it is left out: SQLite would sort all their chunks
            for each page.
    """

    def __init__(
        self, engine: sa.Engine, contains: Callable[[str, bool], bool], condition: sa.ColumnElement[bool] | None = None
    ) -> None:
        self._engine = engine
        self._contains = contains
        self._condition = condition

    def pages(self) -> Iterator[ChunkPage]:
        """Yield the chunks with their vectors."""
        query = _PLACED.add_columns(VECTORS.c.vector).join(VECTORS, VECTORS.c.vector_id == CHUNKS.c.vector_id)
        for rows in self._rows(query, _PAGE):
            vectors = [np.frombuffer(row.vector, dtype="<f4") for row in rows]
            yield list(zip(self._cut(rows), vectors, strict=True))

    def chunks(self) -> Iterator[list[Chunk]]:
        """Yield the chunks."""
        for rows in self._rows(_PLACED, _PAGE):
            yield self._cut(rows)

    def ids(self) -> Iterator[str]:
        """Yield the ids of the chunks one by one."""
        for rows in self._rows(_WITHOUT_TEXT, _LARGE_PAGE):
            yield from (row.chunk_id for row in rows)

    def vectors(self) -> Iterator[VectorPage]:
        """Yield the ids of the chunks and their vectors."""
        query = _WITHOUT_TEXT.add_columns(VECTORS.c.vector).join(VECTORS, VECTORS.c.vector_id == CHUNKS.c.vector_id)
        for rows in self._rows(query, _LARGE_PAGE):
            if rows:
                yield [row.chunk_id for row in rows], _stacked([row.vector for row in rows])

    def _cut(self, rows: Sequence[sa.Row[Any]]) -> list[Chunk]:
        """Return the chunks of rows, cut here because a database would read the whole document for each chunk."""
        of_document: dict[int, list[sa.Row[Any]]] = {}
        for row in rows:
            of_document.setdefault(row.version_id, []).append(row)
        wanted, found = list(of_document), dict[tuple[str, int], Chunk]()
        texts = sa.select(DOCUMENTS.c.version_id, DOCUMENTS.c.text)
        with self._engine.connect() as connection:
            for start in range(0, len(wanted), _DOCUMENTS_AT_ONCE):
                some = DOCUMENTS.c.version_id.in_(wanted[start : start + _DOCUMENTS_AT_ONCE])
                for version_id, text in connection.execute(texts.where(some)):
                    for row in of_document[version_id]:
                        found[row.chunk_id, version_id] = to_chunk(row, text[row.start : row.end])
        if len(found) < len(rows):
            raise IndexingError("Documents were replaced while they were read: they are read again.")
        return [found[row.chunk_id, row.version_id] for row in rows]

    def _rows(self, query: sa.Select[Any], page_size: int) -> Iterator[list[sa.Row[Any]]]:
        if self._condition is not None:
            query = query.where(self._condition)
        last = ("", 0)
        while True:
            # No connection stays open between pages, in which the caller may take long.
            with self._engine.connect() as connection:
                following = query.where(last < _PLACE).order_by(CHUNKS.c.chunk_id, CHUNKS.c.version_id)
                rows = connection.execute(following.limit(page_size)).all()
            if not rows:
                return
            last = (rows[-1].chunk_id, rows[-1].version_id)
            yield [row for row in rows if self._contains(row.document_id, row.live)]


def _stacked(vectors: Sequence[bytes]) -> Vectors:
    lengths = {len(vector) for vector in vectors}
    if len(lengths) > 1 or min(lengths) % _BYTES_A_NUMBER:
        raise IndexingError("Vectors in the database are cut short: run `footnote doctor`.")
    return np.frombuffer(b"".join(vectors), dtype="<f4").reshape(len(vectors), -1)


class ChunkSets:
    """The sets of chunks that search indexes are built from."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine

    def live(self) -> ChunkSet:
        """Return the chunks of live documents."""
        return ChunkSet(self._engine, lambda _document_id, live: live)

    def count_damaged_vectors(self, dimension: int) -> int:
        """Return how many chunks of live documents have no vector or one of the wrong length.

        The database knows the length of a value without reading it.
        """
        lost = VECTORS.c.vector.is_(None) | (sa.func.length(VECTORS.c.vector) != _BYTES_A_NUMBER * dimension)
        vectors = CHUNKS.join(DOCUMENTS).outerjoin(VECTORS, VECTORS.c.vector_id == CHUNKS.c.vector_id)
        query = sa.select(sa.func.count()).select_from(vectors).where(DOCUMENTS.c.live, lost)
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0

    def staged(self) -> ChunkSet:
        """Return the chunks of staged documents."""
        return ChunkSet(self._engine, lambda _document_id, live: not live, ~DOCUMENTS.c.live)

    def future(self, replaced: Collection[str]) -> ChunkSet:
        """Return the chunks that will be live once `replaced` documents are removed and staged ones live."""
        gone = frozenset(replaced)
        return ChunkSet(self._engine, lambda document_id, live: not (live and document_id in gone))

    def of_live_document(self, document_id: str) -> ChunkSet:
        """Return the chunks of a live document."""
        return ChunkSet(self._engine, lambda _document_id, live: live, DOCUMENTS.c.document_id == document_id)

    def count_live(self, document_ids: Collection[str]) -> int:
        """Return how many chunks some live documents have."""
        batches = in_batches(sorted(document_ids))
        return sum(self.count(DOCUMENTS.c.live & DOCUMENTS.c.document_id.in_(batch)) for batch in batches)

    def count_staged(self) -> int:
        """Return how many chunks the staged documents have."""
        return self.count(~DOCUMENTS.c.live)

    def count(self, condition: sa.ColumnElement[bool]) -> int:
        """Return how many chunks the documents have that a condition selects."""
        with self._engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(CHUNKS.join(DOCUMENTS)).where(condition)
            return connection.scalar(query) or 0


def in_batches(values: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the values in batches, each few enough for the bound parameters of one statement."""
    for start in range(0, len(values), _ROWS_A_STATEMENT):
        yield values[start : start + _ROWS_A_STATEMENT]


def fingerprint_of(embedding_model: str, chunk_ids: Iterable[str]) -> str:
    """Return the fingerprint of an index: a hash of the embedding model and the ids of all chunks in order."""
    digest = hashlib.sha256(embedding_model.encode())
    for chunk_id in chunk_ids:
        digest.update(chunk_id.encode())
    return digest.hexdigest()[:32]


def with_text(*extra: sa.ColumnElement[object]) -> sa.Select[Any]:
    """Return the query for chunks with their text and further columns."""
    text = sa.func.substr(DOCUMENTS.c.text, CHUNKS.c.start + 1, CHUNKS.c.end - CHUNKS.c.start).label("chunk_text")
    return sa.select(CHUNKS, DOCUMENTS.c.document_id, DOCUMENTS.c.title, text, *extra).join(
        DOCUMENTS, DOCUMENTS.c.version_id == CHUNKS.c.version_id
    )


def to_chunk(row: sa.Row[Any], text: str) -> Chunk:
    """Return the chunk of a row with its place, its document's id and title."""
    return Chunk(
        chunk_id=row.chunk_id,
        document_id=row.document_id,
        position=row.position,
        span=Span(row.start, row.end),
        text=text,
        title=row.title,
        sentences=tuple(Span(start, end) for start, end in row.sentences),
    )


_PLACED: Final = sa.select(CHUNKS, DOCUMENTS.c.document_id, DOCUMENTS.c.title, DOCUMENTS.c.live).join(
    DOCUMENTS, DOCUMENTS.c.version_id == CHUNKS.c.version_id
)
_WITHOUT_TEXT: Final = sa.select(
    CHUNKS.c.chunk_id, CHUNKS.c.version_id, DOCUMENTS.c.document_id, DOCUMENTS.c.live
).join(DOCUMENTS, DOCUMENTS.c.version_id == CHUNKS.c.version_id)
