"""The tables of the catalogue.

properties   one value a name: schema, generation, fingerprint, how documents were cut, example questions
documents    one row a version of a document; staged versions are not `live`
chunks       the pieces of a version, with their sentence spans, in characters of the document
vectors      by the text they were made from, so that no text is embedded twice
sources      the hash of every file that is indexed whole
"""

from __future__ import annotations

import sqlalchemy as sa

SCHEMA_VERSION = "1"

METADATA = sa.MetaData()

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
    sa.Column("sections", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("date", sa.String, nullable=False, server_default=""),
    sa.Column("marks", sa.JSON, nullable=False, server_default="[]"),
    sa.Column("indexed_at", sa.DateTime(timezone=True), nullable=False),
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
    sa.Column("file_hash", sa.String, nullable=False),
)


def prepare_sqlite(connection: object, _record: object) -> None:
    """Set up a new SQLite connection; registered for SQLAlchemy's `connect` event."""
    cursor = connection.cursor()  # type: ignore[attr-defined]
    # WAL lets readers go on while an indexing run writes; FULL makes a commit survive a power cut.
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
