"""The database of documents, chunks, hashes and vectors. Search indexes are built from it.

A run of `synchronise` stages new versions of documents beside the live ones. `publish` makes them live, removes those
they replace and names the new generation in one transaction: a reader sees the old state or the new one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa
from sqlalchemy.engine import Connection

from index.document import Chunk, Document, Mark, MarkKind, Page, Section, Span, hash_text
from index.embedding.embedder import Vectors
from index.errors import DatabaseUnwritableError, IndexingError
from index.relations.relations import Relation, read_relations, relate_documents
from index.store.chunk_sets import ChunkSets, in_batches, to_chunk, with_text
from index.store.database import open_engine, url_without_password
from index.store.files import FileRegister
from index.store.migration import upgrade_catalogue
from index.store.ownership import confirm_elected, elect_writer
from index.store.schema import CHUNKS, DOCUMENTS, METADATA, PROPERTIES, VECTORS


class TitledDocument(NamedTuple):
    """A document in a list of titles."""

    document_id: str
    title: str


@dataclass(frozen=True, slots=True)
class LiveDocument:
    """A live document without its text."""

    document_id: str
    title: str
    media_type: str
    characters: int
    source: str
    content_hash: str
    indexed_at: datetime


@dataclass(frozen=True, slots=True)
class Publication:
    """What `Catalogue.publish` commits: the new generation, and the ids of the live documents that it replaces."""

    generation: str
    fingerprint: str
    replaced: Collection[str]
    pipeline: str
    embedding_model: str


class Catalogue:
    """The database behind an index, by SQLAlchemy URL (SQLite or PostgreSQL).

    Attributes:
        files: The state of each file.
        chunk_sets: The sets of chunks that search indexes are built from.
        engine: The database, for modules that keep tables of their own in it.

    Raises:
        IndexingError: The database cannot be opened or was written by another version of Footnote.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = open_engine(url)
        self.chunk_sets = ChunkSets(self.engine)
        self.files = FileRegister(self.engine)
        self._owner = ""
        try:
            upgrade_catalogue(self.engine)
        except sa.exc.DatabaseError as error:
            reason = str(error.orig or error).splitlines()[0]
            raise IndexingError(
                f"The database {url_without_password(self.engine)!r} cannot be opened ({reason}): "
                "check that it is a Footnote database. If it is damaged, restore a backup with `footnote restore`, or "
                "delete it and index the folder again."
            ) from error

    def close(self) -> None:
        """Release every connection."""
        self.engine.dispose()

    @contextmanager
    def elected(self) -> Iterator[None]:
        """Be elected as the only process on all machines that writes documents; writes fail once another is elected.

        Raises:
            IndexBusyError: Another process has been elected; the message names it.
        """
        with elect_writer(self.engine) as owner:
            self._owner = owner
            try:
                yield
            finally:
                self._owner = ""

    def find_damage(self) -> str:
        """Return what is wrong with an SQLite file, or an empty text; a database on a server is not examined."""
        if self.engine.dialect.name != "sqlite":
            return ""
        try:
            with self.engine.connect() as connection:
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
        with self.engine.connect() as connection:
            return connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == name)) or ""

    def properties(self) -> dict[str, str]:
        """Return all properties of the index, read in one transaction."""
        with self.engine.connect() as connection:
            return {row.name: row.value for row in connection.execute(sa.select(PROPERTIES))}

    def set_properties(self, values: Mapping[str, str]) -> None:
        """Set properties of the index."""
        with self.engine.begin() as connection:
            _set_properties(connection, values)

    # Reading --------------------------------------------------------------------------------------------------------

    def summaries(self) -> list[LiveDocument]:
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
        with self.engine.connect() as connection:
            found = [LiveDocument(*row) for row in connection.execute(query)]
        return sorted(found, key=lambda summary: summary.document_id)  # servers sort by language rules

    def titles(self, words: str, start: int, count: int) -> tuple[TitledDocument, ...]:
        """Return the live documents whose title or id contains all of some words, ordered by id.

        Args:
            words: Separated by spaces; none finds every document. Case is ignored, in SQLite for A to Z only.
            start: How many of the documents found are left out at the beginning.
            count: How many are returned at most.
        """
        columns = DOCUMENTS.c
        # A condition that no index serves, so that the database reads only the rows that are returned, in order of id.
        found = sa.select(columns.document_id, columns.title).where(sa.func.coalesce(columns.live, sa.false()))
        for word in words.lower().split():
            fields = (columns.title, columns.document_id)
            found = found.where(sa.or_(*(sa.func.lower(field).contains(word, autoescape=True) for field in fields)))
        with self.engine.connect() as connection:
            rows = connection.execute(found.order_by(columns.document_id).offset(start).limit(count))
            return tuple(TitledDocument(*row) for row in rows)

    def count_documents(self) -> int:
        """Return how many documents are live."""
        query = sa.select(sa.func.count()).select_from(DOCUMENTS).where(DOCUMENTS.c.live)
        with self.engine.connect() as connection:
            return connection.scalar(query) or 0

    def count_chunks(self) -> int:
        """Return how many chunks of live documents there are."""
        return self.chunk_sets.count(DOCUMENTS.c.live)

    def document(self, document_id: str) -> Document | None:
        """Return a live document, or None."""
        query = sa.select(DOCUMENTS).where(DOCUMENTS.c.live, DOCUMENTS.c.document_id == document_id)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return _to_document(row) if row else None

    def relations(self, document_ids: Collection[str] | None = None) -> dict[str, Relation]:
        """Return by id the live documents, of all or of those named, that have copies or other versions."""
        return read_relations(self.engine, document_ids)

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, Chunk]:
        """Return chunks of live documents by id; ids that are gone are left out."""
        found: dict[str, Chunk] = {}
        # With a condition on live documents SQLite would scan all of these and look each chunk up in every one.
        query = with_text(DOCUMENTS.c.live)
        with self.engine.connect() as connection:
            for some in in_batches(chunk_ids):
                rows = connection.execute(query.where(CHUNKS.c.chunk_id.in_(some)))
                found.update({row.chunk_id: to_chunk(row, row.chunk_text) for row in rows if row.live})
        return found

    def chunks_of(self, document_id: str) -> list[Chunk]:
        """Return the chunks of a live document in order."""
        with suppress(IndexingError):
            return self._chunks_of(document_id)
        return self._chunks_of(document_id)  # the document was replaced while it was read

    def _chunks_of(self, document_id: str) -> list[Chunk]:
        pages = self.chunk_sets.of_live_document(document_id).chunks()
        return sorted((chunk for page in pages for chunk in page), key=lambda chunk: chunk.position)

    def vectors(self, chunk_ids: Sequence[str]) -> dict[str, Vectors]:
        """Return the vectors of chunks by chunk id, each of shape (dimension,)."""
        found: dict[str, Vectors] = {}
        query = sa.select(CHUNKS.c.chunk_id, VECTORS.c.vector).join(VECTORS, VECTORS.c.vector_id == CHUNKS.c.vector_id)
        with self.engine.connect() as connection:
            for some in in_batches(chunk_ids):
                for row in connection.execute(query.where(CHUNKS.c.chunk_id.in_(some))):
                    found[row.chunk_id] = np.frombuffer(row.vector, dtype="<f4")
        return found

    # Staging --------------------------------------------------------------------------------------------------------

    def discard_staged(self) -> None:
        """Delete what an interrupted run staged. Its vectors stay, so that the next run need not compute them."""
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
        with self.engine.connect() as connection:
            return set(connection.scalars(sa.select(DOCUMENTS.c.document_id).where(~DOCUMENTS.c.live)))

    def missing_vectors(self, vector_ids: Sequence[str]) -> set[str]:
        """Return the ids that have no stored vector yet."""
        missing = set(vector_ids)
        with self.engine.connect() as connection:
            for some in in_batches(list(missing)):
                query = sa.select(VECTORS.c.vector_id).where(VECTORS.c.vector_id.in_(some))
                missing.difference_update(connection.scalars(query))
        return missing

    def add_vectors(self, vectors: Mapping[str, Vectors]) -> None:
        """Store vectors by id."""
        if not vectors:
            return
        with self.engine.begin() as connection:
            rows = [{"vector_id": key, "vector": vector.astype("<f4").tobytes()} for key, vector in vectors.items()]
            connection.execute(VECTORS.insert(), rows)

    # Generations ----------------------------------------------------------------------------------------------------

    def publish(self, publication: Publication) -> None:
        """Make staged documents live, remove those they replace, and name the new generation, all at once."""
        with self._writing() as connection:
            for some in in_batches(sorted(publication.replaced)):
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
        """Find copies and versions among the live documents, if one of them has not been compared yet."""
        relate_documents(self.engine)

    def move_documents(self, moved: Mapping[str, str]) -> None:
        """Store the new source of documents that were moved and not changed."""
        with self._writing() as connection:
            for document_id, source in moved.items():
                update = DOCUMENTS.update().where(DOCUMENTS.c.live, DOCUMENTS.c.document_id == document_id)
                connection.execute(update.values(source=source))

    def sweep(self) -> None:
        """Delete vectors that no chunk uses any more, and erase deleted rows from the files of the database."""
        with self._writing() as connection:
            used = sa.exists().where(CHUNKS.c.vector_id == VECTORS.c.vector_id)
            connection.execute(VECTORS.delete().where(~used))
        if self.engine.dialect.name == "sqlite":
            with self.engine.connect() as connection:
                connection.execute(sa.text("PRAGMA wal_checkpoint(TRUNCATE)"))

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        """Open a transaction that changes documents; it fails once another process has been elected."""
        with self.engine.begin() as connection:
            if self._owner:
                confirm_elected(connection, self._owner)
            yield connection


def vector_key(model_id: str, text: str) -> str:
    """Return the id of a text's vector by a model, so that the same text is never embedded twice."""
    return hash_text(model_id, text)


def _set_properties(connection: Connection, values: Mapping[str, str]) -> None:
    connection.execute(PROPERTIES.delete().where(PROPERTIES.c.name.in_(list(values))))
    connection.execute(PROPERTIES.insert(), [{"name": name, "value": value} for name, value in values.items()])


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
