"""Brings the tables of the records to this version of Footnote: revisions of their own, run by Alembic."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Engine

from index.errors import IndexingError
from index.store.database import alone, shown

HEAD = "0008"  # the last revision in bot/records/migrations/versions
VERSION_TABLE = "records_version"


def upgrade(engine: Engine) -> None:
    """Make the tables where there are none, upgrade older ones, and leave all that is in them.

    Raises:
        IndexingError: A newer Footnote wrote the records.
    """
    with engine.connect() as connection:
        if _revision(connection) == HEAD:
            return
    with alone(engine) as connection:
        found = _revision(connection)  # looked up again: another process may have been here first
        if found > HEAD:
            raise IndexingError(
                f"The records in the database {shown(engine)!r} were written by a newer Footnote (their tables are at "
                f"revision {found}, this one knows {HEAD}): install that version, or use another database."
            )
        if found < HEAD:
            _run(connection)


def _revision(connection: sa.Connection) -> str:
    if not sa.inspect(connection).has_table(VERSION_TABLE):
        return ""
    version = sa.table(VERSION_TABLE, sa.column("version_num", sa.String))
    return connection.scalar(sa.select(version.c.version_num)) or ""


def _run(connection: sa.Connection) -> None:
    from alembic import command  # needed once in the life of a database
    from alembic.config import Config

    config = Config()
    folder = str(Path(__file__).parent / "migrations")
    config.set_main_option("script_location", folder.replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
