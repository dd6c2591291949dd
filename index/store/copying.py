"""Copies of the database in one file, made while it is in use by SQLite's `VACUUM INTO` or by `pg_dump`."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection

from index.errors import IndexingError
from index.store.database import address, check_may_be_read, open_engine
from index.store.migration import CATALOGUE
from index.store.schema import CHUNKS, DOCUMENTS, PROPERTIES


@dataclass(frozen=True, slots=True)
class CopiedIndex:
    """The contents of a copy of the database.

    Attributes:
        backend: `sqlite` or `postgresql`.
        schema: Revision of its tables.
        fingerprint: Of the chunks; empty before anything was indexed.
        embedding_model: Which model made its vectors.
        documents: How many live documents.
        chunks: How many chunks of them.
    """

    backend: str
    schema: str
    fingerprint: str
    embedding_model: str
    documents: int
    chunks: int


def copy_database(url: str, target: Path) -> CopiedIndex:
    """Copy the database of an index to a new file and return the contents of the copy.

    Args:
        url: SQLAlchemy URL of the catalogue.
        target: A file that does not exist.

    Raises:
        IndexingError: There is no database, or it cannot be copied.
    """
    if sa.make_url(url).get_backend_name() == "postgresql":
        return _dump_postgresql(url, target)
    database = Path(sa.make_url(url).database or "")
    check_may_be_read(database)
    if not database.is_file():
        raise IndexingError(f"There is no database at {str(database)!r}: name the folder of an index with --data-dir.")
    try:
        with closing(sqlite3.connect(address(database), uri=True)) as connection:
            connection.execute("VACUUM INTO ?", (str(target),))
        with _connected(f"sqlite:///{target}") as copy:
            return _describe(copy)
    except (sqlite3.Error, sa.exc.DatabaseError) as error:
        reason = str(error).splitlines()[0]
        raise IndexingError(
            f"The database {str(database)!r} cannot be copied ({reason}): run `footnote doctor`, and see that there is "
            "room for the copy."
        ) from error


def load_database(source: Path, url: str) -> None:
    """Load a copy as the database of a new index.

    Raises:
        IndexingError: There is a database already, or the copy cannot be loaded.
    """
    parsed = sa.make_url(url)
    if parsed.get_backend_name() == "postgresql":
        with _connected(url) as connection:
            if sa.inspect(connection).has_table(PROPERTIES.name):
                raise IndexingError(f"The database {_shown(url)!r} holds an index already: name an empty one.")
        _run_client("pg_restore", url, "--no-owner", "--exit-on-error", "--single-transaction", str(source))
        return
    database = Path(parsed.database or "")
    if database.exists():
        raise IndexingError(f"There is a database at {str(database)!r} already: restore into an empty folder.")
    shutil.move(source, database)


def _dump_postgresql(url: str, target: Path) -> CopiedIndex:
    with _connected(url) as connection:
        # What is read here and what is dumped come from the same snapshot.
        connection.execution_options(isolation_level="REPEATABLE READ")
        snapshot = connection.scalar(sa.text("SELECT pg_export_snapshot()"))
        found = _describe(connection)
        _run_client(
            "pg_dump",
            url,
            "--format=custom",
            "--no-owner",
            "--no-privileges",
            f"--snapshot={snapshot}",
            f"--file={target}",
        )
    return found


def _run_client(program: str, url: str, *options: str) -> None:
    parsed = sa.make_url(url)
    address = parsed.set(drivername="postgresql", password=None).render_as_string()
    environment = {**os.environ, "PGPASSWORD": str(parsed.password)} if parsed.password else None
    command = [program, f"--dbname={address}", "--no-password", *options]
    try:
        subprocess.run(command, env=environment, capture_output=True, text=True, check=True)  # noqa: S603  # no shell
    except FileNotFoundError as error:
        raise IndexingError(
            f"The program {program!r} is not there: install the client programs of your PostgreSQL server."
        ) from error
    except subprocess.CalledProcessError as error:
        reason = (error.stderr.strip().splitlines() or ["no reason was given"])[0]
        raise IndexingError(f"The database {_shown(url)!r} was refused by {program} ({reason}).") from error


@contextmanager
def _connected(url: str) -> Iterator[Connection]:
    engine = open_engine(url)
    try:
        with engine.connect() as connection:
            yield connection
    except (sa.exc.OperationalError, ModuleNotFoundError) as error:
        reason = str(getattr(error, "orig", error)).splitlines()[0]
        raise IndexingError(f"The database {_shown(url)!r} cannot be reached ({reason}): is it running?") from error
    finally:
        engine.dispose()


def _describe(connection: Connection) -> CopiedIndex:
    properties = {row.name: row.value for row in connection.execute(sa.select(PROPERTIES))}
    live = sa.select(sa.func.count()).where(DOCUMENTS.c.live)
    return CopiedIndex(
        connection.dialect.name,
        CATALOGUE.revision_of(connection),
        properties.get("fingerprint", ""),
        properties.get("embedding_model", ""),
        connection.scalar(live.select_from(DOCUMENTS)) or 0,
        connection.scalar(live.select_from(CHUNKS.join(DOCUMENTS))) or 0,
    )


def _shown(url: str) -> str:
    return sa.make_url(url).render_as_string(hide_password=True)
