"""The tables of the catalogue.

properties   one value a name: index_id, owner, generation, fingerprint, how documents were cut, example questions
documents    one row a version of a document; staged versions are not `live`
chunks       the pieces of a version, with their sentence spans, in characters of the document
vectors      by the text they were made from, so that no text is embedded twice
sources      what became of each file: its state, the reason, the hash of what was read, whether it is excluded
relations    of which documents a version is a copy or another edition, with the signature that tells

A table that is changed here is changed by a revision in `index/store/migrations/versions` too; a test compares the two.
"""

from __future__ import annotations

from datetime import UTC, datetime

import sqlalchemy as sa

METADATA = sa.MetaData()


class UtcDateTime(sa.types.TypeDecorator[datetime]):
    """A moment, which SQLite keeps without its zone."""

    impl = sa.DateTime(timezone=True)
    cache_ok = True

    def process_result_value(self, value: datetime | None, dialect: sa.Dialect) -> datetime | None:
        """Return the moment with its zone."""
        return value.replace(tzinfo=UTC) if value is not None and value.tzinfo is None else value


PROPERTIES = sa.Table(
    "properties",
    METADATA,
    sa.Column("name", sa.String, primary_key=True),
    sa.Column("value", sa.String, nullable=False),
)
DOCUMENTS = sa.Table(
    "documents",
    METADATA,
    sa.Column("version_id", sa.Integer, primary_key=True, autoincrement=True),
    sa.Column("document_id", sa.String, nullable=False, index=True),
    sa.Column("live", sa.Boolean, nullable=False, index=True),
    sa.Column("source", sa.String, nullable=False, index=True),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("text", sa.Text, nullable=False),
    sa.Column("media_type", sa.String, nullable=False),
    sa.Column("source_hash", sa.String, nullable=False),
    sa.Column("content_hash", sa.String, nullable=False),
    sa.Column("pages", sa.JSON, nullable=False),
    sa.Column("sections", sa.JSON),
    sa.Column("date", sa.String, nullable=False, server_default=sa.text("''")),
    sa.Column("marks", sa.JSON),
    sa.Column("indexed_at", UtcDateTime, nullable=False),
    sa.UniqueConstraint("document_id", "live"),
)
CHUNKS = sa.Table(
    "chunks",
    METADATA,
    sa.Column("chunk_id", sa.String(32), primary_key=True),
    sa.Column("version_id", sa.ForeignKey("documents.version_id", ondelete="CASCADE"), primary_key=True, index=True),
    sa.Column("position", sa.Integer, nullable=False),
    sa.Column("start", sa.Integer, nullable=False),
    sa.Column("end", sa.Integer, nullable=False),
    sa.Column("sentences", sa.JSON, nullable=False),
    sa.Column("vector_id", sa.String(64), nullable=False, index=True),
)
VECTORS = sa.Table(
    "vectors",
    METADATA,
    sa.Column("vector_id", sa.String(64), primary_key=True),
    sa.Column("vector", sa.LargeBinary, nullable=False),
)
SOURCES = sa.Table(
    "sources",
    METADATA,
    sa.Column("source", sa.String, primary_key=True),
    sa.Column("file_hash", sa.String, nullable=False, server_default=sa.text("''")),
    sa.Column("state", sa.String(16), nullable=False, server_default="indexed"),
    sa.Column("reason", sa.Text, nullable=False, server_default=sa.text("''")),
    sa.Column("excluded", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("seen_at", UtcDateTime),
)
RELATIONS = sa.Table(
    "relations",
    METADATA,
    sa.Column("version_id", sa.ForeignKey("documents.version_id", ondelete="CASCADE"), primary_key=True),
    sa.Column("signature", sa.LargeBinary, nullable=False),
    sa.Column("dated", sa.JSON, nullable=False),
    sa.Column("copies", sa.String, nullable=False, server_default=sa.text("''")),
    sa.Column("series", sa.String, nullable=False, server_default=sa.text("''")),
    sa.Column("edition", sa.JSON, nullable=False),
)
