"""The live documents by their titles, a few at a time: what a list of very many shows.

Our database: the truth about documents, chunks, hashes and vectors. Search indexes are built from it.

A run of `synchronise` stages new versions beside the live ones. `publish` makes them live, removes what they
replace and names the new generation, all in one transaction: a reader sees the old state or the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.document import Chunk, Document, Mark, MarkKind, Page, Section, Span, hash_text
from index.embedding.embedder import Vectors
from index.errors import DatabaseUnwritableError, IndexingError
from index.relations.relations import Relation, read_relations, relate_documents
from index.store.chunk_sets import ChunkSets, to_chunk, with_text
from index.store.database import open_engine, url_without_password
from index.store.files import FileRegister
from index.store.migration import upgrade_catalogue
from index.store.ownership import confirm, elect
from index.store.schema import CHUNKS, DOCUMENTS, METADATA, PROPERTIES, VECTORS


class TitledDocument(NamedTuple):
    """A document as a list names it."""

    document_id: str
    title: str


def find_titles(engine: Engine, words: str, start: int, count: int) -> tuple[TitledDocument, ...]:
    """Return the documents whose title or id has all of some words in it, ordered by id.

    Args:
        engine: The catalogue's database.
        words: Separated by spaces; none finds every document. Upper and lower case are the same where the database
            knows them apart, which SQLite does for A to Z.
        start: How many of those found to leave out at the beginning.
        count: How many to return at most.
    """
    columns = DOCUMENTS.c
    # A condition that no index serves: the rows come in the order of the one on ids, and only those shown are read.
    found = sa.select(columns.document_id, columns.title).where(sa.func.coalesce(columns.live, sa.false()))
    for word in words.lower().split():
        named = (
            sa.func.lower(column).contains(word, autoescape=True) for column in (columns.title, columns.document_id)
        )
        found = found.where(sa.or_(*named))
    with engine.connect() as connection:
        rows = connection.execute(found.order_by(columns.document_id).offset(start).limit(count))
        return tuple(TitledDocument(*row) for row in rows)


def count_titles(engine: Engine) -> int:
    """Return how many documents there are."""
    with engine.connect() as connection:
        return connection.scalar(sa.select(sa.func.count()).select_from(DOCUMENTS).where(DOCUMENTS.c.live)) or 0


_ROWS_A_STATEMENT = 500  # below SQLite's limit on bound values, whatever the row's width


@dataclass(frozen=True, slots=True)
class DocumentSummary:
    """What is known of a live document without its text."""

    document_id: str
    title: str
    media_type: str
    characters: int
    source: str
    content_hash: str
    indexed_at: datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """What a new generation changes: its name, what it is made of, and which documents' versions it replaces."""

    generation: str
    fingerprint: str
    replaced: Collection[str]
    pipeline: str
    embedding_model: str


class Catalogue:
    """The database behind an index, by SQLAlchemy URL (SQLite or PostgreSQL).

    Attributes:
        files: What became of each file.

    Raises:
        IndexingError: The database cannot be opened or was written by another version of Footnote.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self._engine = open_engine(url)
        self.chunk_sets = ChunkSets(self._engine)
        self.files = FileRegister(self._engine)
        self._owner = ""
        try:
            upgrade_catalogue(self._engine)
        except sa.exc.DatabaseError as error:
            reason = str(error.orig or error).splitlines()[0]
            raise IndexingError(
                f"The database {url_without_password(self._engine)!r} cannot be opened ({reason}): "
                "check that it is a Footnote database. If it is damaged, restore a backup with `footnote restore`, or "
                "delete it and index the folder again."
            ) from error

    @property
    def engine(self) -> sa.Engine:
        """The database, for those who keep tables of their own in it."""
        return self._engine

    def close(self) -> None:
        """Release every connection."""
        self._engine.dispose()

    @contextmanager
    def elected(self) -> Iterator[None]:
        """Be the only one, of all machines, that writes documents; a run that loses this cannot write any more.

        Raises:
            IndexBusyError: Another process has been elected; the message names it.
        """
        with elect(self._engine) as owner:
            self._owner = owner
            try:
                yield
            finally:
                self._owner = ""

    def find_damage(self) -> str:
        """Return what SQLite finds wrong with its file, empty for nothing; a server's database is the server's care."""
        if self._engine.dialect.name != "sqlite":
            return ""
        try:
            with self._engine.connect() as connection:
                lost = METADATA.tables.keys() - sa.inspect(connection).get_table_names()
                if lost:
                    return f"it has no table {min(lost)!r}"
                found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
        except DatabaseUnwritableError as error:
            return str(error.__cause__)
        except sa.exc.DatabaseError as error:
            return str(error.orig)
        return "" if found == "ok" else str(found)

    # Properties -----------------------------------------------------------------------------------------------------

    def property(self, name: str) -> str:
        """Return a property of the index, empty when it was never set."""
        with self._engine.connect() as connection:
            value = connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == name))
        return value or ""

    def properties(self) -> dict[str, str]:
        """Return the properties of the index that are set, all of one moment."""
        with self._engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(sa.select(PROPERTIES))}

    def set_properties(self, values: Mapping[str, str]) -> None:
        """Set properties of the index."""
        with self._engine.begin() as connection:
            _set_properties(connection, values)

    # Reading --------------------------------------------------------------------------------------------------------

    def summaries(self) -> list[DocumentSummary]:
        """Return the live documents, ordered by id."""
        columns = DOCUMENTS.c
        query = sa.select(
            columns.document_id,
            columns.title,
            columns.media_type,
            sa.func.length(columns.text),
            columns.source,
            columns.content_hash,
            columns.indexed_at,
        ).where(columns.live)
        with self._engine.connect() as connection:
            found = [DocumentSummary(*row) for row in connection.execute(query)]
        return sorted(found, key=lambda summary: summary.document_id)  # servers sort by their own language's rules

    def titles(self, words: str, start: int, count: int) -> tuple[TitledDocument, ...]:
        """Return some of the live documents whose title or id has the words in it, ordered by id."""
        return find_titles(self._engine, words, start, count)

    def count_documents(self) -> int:
        """Return how many documents are live."""
        return count_titles(self._engine)

    def document(self, document_id: str) -> Document | None:
        """Return a live document, or None."""
        query = sa.select(DOCUMENTS).where(DOCUMENTS.c.live, DOCUMENTS.c.document_id == document_id)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return _to_document(row) if row else None

    def relations(self, document_ids: Collection[str] | None = None) -> dict[str, Relation]:
        """Return by id the live documents that have copies or other versions; of all, or of those named."""
        return read_relations(self._engine, document_ids)

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Return chunks of live documents by id; ids that are gone are left out."""
        found: dict[str, Chunk] = {}
        # Asked for live documents too, SQLite reads through all of those and looks each chunk up in every one.
        query = with_text(DOCUMENTS.c.live)
        with self._engine.connect() as connection:
            for some in _in_batches(chunk_ids):
                rows = connection.execute(query.where(CHUNKS.c.chunk_id.in_(some)))
                found.update({row.chunk_id: to_chunk(row, row.chunk_text) for row in rows if row.live})
        return found

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Return the chunks of a live document in order."""
        with suppress(IndexingError):
            return self._chunks_of(document_id)
        return self._chunks_of(document_id)  # it was replaced while it was read

    def _chunks_of(self, document_id: str) -> list[Chunk]:
        pages = self.chunk_sets.of_live_document(document_id).chunks()
        return sorted((chunk for page in pages for chunk in page), key=lambda chunk: chunk.position)

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of chunks by chunk id, each of shape (dimension,)."""
        found: dict[str, Vectors] = {}
        query = sa.select(CHUNKS.c.chunk_id, VECTORS.c.vector).join(VECTORS, VECTORS.c.vector_id == CHUNKS.c.vector_id)
        with self._engine.connect() as connection:
            for some in _in_batches(chunk_ids):
                for row in connection.execute(query.where(CHUNKS.c.chunk_id.in_(some))):
                    found[row.chunk_id] = np.frombuffer(row.vector, dtype="<f4")
        return found

    # Staging --------------------------------------------------------------------------------------------------------

    def discard_staged(self) -> None:
        """Forget what an interrupted run staged. Its vectors stay, so that it need not embed again."""
        with self._writing() as connection:
            connection.execute(DOCUMENTS.delete().where(~DOCUMENTS.c.live))

    def stage(self, document: Document, chunks: Sequence[Chunk], vector_ids: Sequence[str], source: str) -> None:
        """Add a new version of a document beside the live one."""
        with self._writing() as connection:
            inserted = connection.execute(
                DOCUMENTS.insert().values(
                    document_id=document.document_id,
                    live=False,
                    source=source,
                    title=document.title,
                    text=document.text,
                    media_type=document.media_type,
                    source_hash=document.source_hash,
                    content_hash=document.content_hash(),
                    pages=[[page.number, page.span.start, page.span.end] for page in document.pages],
                    sections=document.sections_as_rows(),
                    date=document.date.isoformat() if document.date else "",
                    marks=document.marks_as_rows(),
                    indexed_at=datetime.now(UTC),
                )
            ).inserted_primary_key
            assert inserted is not None
            rows = [
                {
                    "chunk_id": chunk.chunk_id,
                    "version_id": inserted[0],
                    "position": chunk.position,
                    "start": chunk.span.start,
                    "end": chunk.span.end,
                    "sentences": [[sentence.start, sentence.end] for sentence in chunk.sentences],
                    "vector_id": vector_id,
                }
                for chunk, vector_id in zip(chunks, vector_ids, strict=True)
            ]
            if rows:
                connection.execute(CHUNKS.insert(), rows)

    def staged_ids(self) -> set[str]:
        """Return the ids of the documents that are staged."""
        with self._engine.connect() as connection:
            return set(connection.scalars(sa.select(DOCUMENTS.c.document_id).where(~DOCUMENTS.c.live)))

    def missing_vectors(self, vector_ids: Sequence[str]) -> set[str]:
        """Return the ids that have no stored vector yet."""
        missing = set(vector_ids)
        with self._engine.connect() as connection:
            for some in _in_batches(list(missing)):
                query = sa.select(VECTORS.c.vector_id).where(VECTORS.c.vector_id.in_(some))
                missing.difference_update(connection.scalars(query))
        return missing

    def add_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors by id."""
        if not vectors:
            return
        with self._engine.begin() as connection:
            rows = [{"vector_id": key, "vector": vector.astype("<f4").tobytes()} for key, vector in vectors.items()]
            connection.execute(VECTORS.insert(), rows)

    # Generations ----------------------------------------------------------------------------------------------------

    def publish(self, publication: Publication) -> None:
        """Make staged documents live, remove those they replace, and name the new generation, all at once."""
        with self._writing() as connection:
            for some in _in_batches(sorted(publication.replaced)):
                connection.execute(DOCUMENTS.delete().where(DOCUMENTS.c.live, DOCUMENTS.c.document_id.in_(some)))
            connection.execute(DOCUMENTS.update().where(~DOCUMENTS.c.live).values(live=True))
            _set_properties(
                connection,
                {
                    "generation": publication.generation,
                    "fingerprint": publication.fingerprint,
                    "embedding_model": publication.embedding_model,
                    "pipeline": publication.pipeline,
                    "indexed_at": datetime.now(UTC).isoformat(timespec="seconds"),
                },
            )

    def relate(self) -> None:
        """Find copies and versions among the live documents, if one of them has not been looked at yet."""
        relate_documents(self._engine)

    def move_documents(self, moved: Mapping[str, str]) -> None:
        """Remember which files documents now come from that have not changed otherwise."""
        with self._writing() as connection:
            for document_id, source in moved.items():
                update = DOCUMENTS.update().where(DOCUMENTS.c.live, DOCUMENTS.c.document_id == document_id)
                connection.execute(update.values(source=source))

    def sweep(self) -> None:
        """Delete vectors that no chunk uses any more, and leave nothing of what was deleted in the database's files."""
        with self._writing() as connection:
            used = sa.exists().where(CHUNKS.c.vector_id == VECTORS.c.vector_id)
            connection.execute(VECTORS.delete().where(~used))
        if self._engine.dialect.name == "sqlite":
            with self._engine.connect() as connection:
                connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction that changes documents; the elected owner's fails once another took over."""
        with self._engine.begin() as connection:
            if self._owner:
                confirm(connection, self._owner)
            yield connection

    def count_chunks(self) -> int:
        """Return how many chunks of live documents there are."""
        query = sa.select(sa.func.count()).select_from(CHUNKS.join(DOCUMENTS)).where(DOCUMENTS.c.live)
        with self._engine.connect() as connection:
            return connection.scalar(query) or 0


def vector_key(model_id: str, text: str) -> str:
    """Return the id of the vector of a text by a model: the same text is never embedded twice."""
    return hash_text(model_id, text)


def _set_properties(connection: Connection, values: Mapping[str, str]) -> None:
    connection.execute(PROPERTIES.delete().where(PROPERTIES.c.name.in_(list(values))))
    connection.execute(PROPERTIES.insert(), [{"name": name, "value": value} for name, value in values.items()])


def _in_batches(values: Sequence[str]) -> Iterable[Sequence[str]]:
    return (values[start : start + _ROWS_A_STATEMENT] for start in range(0, len(values), _ROWS_A_STATEMENT))


def _to_document(row: sa.Row[tuple[object, ...]]) -> Document:
    return Document(
        document_id=row.document_id,
        title=row.title,
        text=row.text,
        media_type=row.media_type,
        source_hash=row.source_hash,
        pages=tuple(Page(number, Span(start, end)) for number, start, end in row.pages),
        sections=tuple(Section(title, level, Span(start, end)) for title, level, start, end in row.sections or ()),
        date=date.fromisoformat(row.date) if row.date else None,
        marks=tuple(
            Mark(MarkKind(kind), None if start is None else Span(start, end), excerpt)
            for kind, start, end, excerpt in row.marks or ()
        ),
    )
