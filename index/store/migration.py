"""Brings the tables of a database to this version of Footnote: revisions run by Alembic, one process at a time."""

from __future__ import annotations

import uuid
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.errors import IndexingError
from index.store.database import alone, shown
from index.store.schema import PROPERTIES

HEAD = "0004"  # the last revision in index/migrations/versions
_FIRST = "0001"
_FIRST_SCHEMA = "1"  # what Footnote wrote into the properties before Alembic kept the revision
_REVISION = sa.table("alembic_version", sa.column("version_num", sa.String))


def upgrade(engine: Engine) -> None:
    """Make the tables of an empty database, upgrade those of an older one, and leave all that is in them.

    Raises:
        IndexingError: The database was written by a newer Footnote, or is not one of Footnote's.
    """
    with engine.connect() as connection:
        if revision_of(connection) == HEAD:
            return
    with alone(engine) as connection:
        # Looked up again: another process may have been here first.
        found = revision_of(connection)
        if found > HEAD:
            raise IndexingError(
                f"The database {shown(engine)!r} was written by a newer Footnote (its tables are at revision {found}, "
                f"this one knows {HEAD}): install that version, or use another database."
            )
        _run(connection, stamp_first=not found and _is_first(connection, engine))


def revision_of(connection: Connection) -> str:
    """Return the revision of a database's tables; empty from before there were any."""
    if not sa.inspect(connection).has_table("alembic_version"):
        return ""
    return connection.scalar(sa.select(_REVISION.c.version_num)) or ""


def _is_first(connection: Connection, engine: Engine) -> bool:
    """Return whether the tables are those from before revisions, rather than none."""
    if not sa.inspect(connection).has_table("properties"):
        return False
    schema = connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == "schema"))
    if schema != _FIRST_SCHEMA:
        raise IndexingError(
            f"The tables in the database {shown(engine)!r} are not Footnote's (schema {schema!r}): "
            "use another database."
        )
    return True


def _run(connection: Connection, *, stamp_first: bool) -> None:
    from alembic import command  # needed once in the life of a database
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    if stamp_first:
        command.stamp(config, _FIRST)
    command.upgrade(config, "head")
    # A Footnote from before revisions looks for this, and refuses where it is missing.
    connection.execute(PROPERTIES.delete().where(PROPERTIES.c.name == "schema"))
    if not connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == "index_id")):
        connection.execute(PROPERTIES.insert().values(name="index_id", value=uuid.uuid4().hex[:12]))
