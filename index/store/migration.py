"""Brings tables to this version of Footnote by Alembic revisions, one process at a time: the catalogue's, and others'.

Every set of tables has a folder of revisions of its own and a table that holds the revision it is at.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.errors import IndexingError
from index.store.database import exclusive_transaction, url_without_password
from index.store.schema import PROPERTIES

_ENVIRONMENT = Path(__file__).parent / "migrations"
_FIRST = "0001"
_FIRST_SCHEMA = "1"  # the property in which Footnote kept the version before it used Alembic


@dataclass(frozen=True, slots=True)
class Migration:
    """A set of tables and their revisions.

    Attributes:
        tables: What the tables are called in messages.
        versions: Folder of the revisions.
        head: The last revision.
        version_table: Name of the table that holds the revision of a database.
    """

    tables: str
    versions: Path
    head: str
    version_table: str

    def revision_of(self, connection: Connection) -> str:
        """Return the revision of a database's tables; empty where there are none."""
        if not sa.inspect(connection).has_table(self.version_table):
            return ""
        version = sa.table(self.version_table, sa.column("version_num", sa.String))
        return connection.scalar(sa.select(version.c.version_num)) or ""

    def upgrade(
        self,
        engine: Engine,
        recognise: Callable[[Connection], str] | None = None,
        complete: Callable[[Connection], None] | None = None,
    ) -> None:
        """Create the tables in an empty database, or upgrade older ones and keep all rows, in one transaction.

        Args:
            engine: The database.
            recognise: Returns the revision of tables that were made before revisions were recorded, or "".
            complete: Called after the last revision, in the same transaction.

        Raises:
            IndexingError: A newer Footnote wrote the tables.
        """
        with engine.connect() as connection:
            if self.revision_of(connection) == self.head:
                return
        with exclusive_transaction(engine) as connection:
            found = self.revision_of(connection)  # read again: another process may have upgraded meanwhile
            if found > self.head:
                raise IndexingError(
                    f"{self.tables} in the database {url_without_password(engine)!r} were written by a newer Footnote "
                    f"(they are at revision {found}, this one knows {self.head}): install that version, or use "
                    "another database."
                )
            if found < self.head:
                self._run(connection, recognise(connection) if recognise and not found else "")
                if complete:
                    complete(connection)

    def _run(self, connection: Connection, unrecorded: str) -> None:
        from alembic import command  # needed only when tables change
        from alembic.config import Config

        config = Config()
        config.set_main_option("script_location", str(_ENVIRONMENT).replace("%", "%%"))
        config.set_main_option("version_locations", str(self.versions).replace("%", "%%"))
        config.set_main_option("path_separator", "newline")  # so that a folder's name may hold spaces and colons
        config.attributes.update(connection=connection, version_table=self.version_table)
        if unrecorded:
            command.stamp(config, unrecorded)
        command.upgrade(config, "head")


CATALOGUE = Migration("The tables", _ENVIRONMENT / "versions", head="0004", version_table="alembic_version")


def upgrade_catalogue(engine: Engine) -> None:
    """Bring the tables of the catalogue to this version.

    Raises:
        IndexingError: A newer Footnote wrote the database, or it is not one of Footnote's.
    """
    CATALOGUE.upgrade(engine, _recognise_first, _complete)


def _recognise_first(connection: Connection) -> str:
    """Return the first revision for the tables of Footnote 0.1, which kept their version in the properties."""
    if not sa.inspect(connection).has_table("properties"):
        return ""
    schema = connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == "schema"))
    if schema != _FIRST_SCHEMA:
        raise IndexingError(
            f"The tables in the database {url_without_password(connection.engine)!r} are not Footnote's (schema "
            f"{schema!r}): use another database."
        )
    return _FIRST


def _complete(connection: Connection) -> None:
    # Footnote 0.1 looks for this property, and refuses a database without it.
    connection.execute(PROPERTIES.delete().where(PROPERTIES.c.name == "schema"))
    if not connection.scalar(sa.select(PROPERTIES.c.value).where(PROPERTIES.c.name == "index_id")):
        connection.execute(PROPERTIES.insert().values(name="index_id", value=uuid.uuid4().hex[:12]))
