"""Connections to the database: SQLite in the data folder, or a PostgreSQL server that many machines share.

SQLite is set up to survive a power cut, to be read while it is written, and to be read from a read-only folder.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, Connection, Engine, ExceptionContext

from index.errors import DatabaseUnavailableError, DatabaseUnwritableError, IndexingError

# WAL lets readers go on while an indexing run writes; FULL makes a commit survive a power cut.
_WRITING = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON")

_NOT_NOW = {
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_CANTOPEN,
}


def _open_sqlite(url: sa.URL) -> sa.Engine:
    """Return an engine for an SQLite database, read-only if its folder cannot be written.

    Raises:
        IndexingError: The file may not be read.
    """
    path = Path(url.database or "")
    check_may_be_read(path)
    if url.database and path.is_file() and not _is_writable(path):
        engine = sa.create_engine(f"sqlite:///{address(path)}&uri=true")
    else:
        engine = sa.create_engine(url)
        sa.event.listen(engine, "connect", _prepare)

    @sa.event.listens_for(engine, "handle_error")
    def _explain(context: sa.engine.ExceptionContext) -> None:
        error = context.original_exception
        # The lower byte is the error, the others are details.
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _NOT_NOW:
            raise DatabaseUnwritableError(
                f"The database {str(path)!r} cannot be used ({error}): see that there is room and that you may write "
                "it, and try again. Nothing of it is lost."
            ) from error

    return engine


def check_may_be_read(path: Path) -> None:
    """Check the permission to read a file: SQLite would report a missing file instead.

    Raises:
        IndexingError: The file or its folder may not be read.
    """
    for place, right in ((path.parent, os.R_OK | os.X_OK), (path, os.R_OK)):
        if os.access(place, os.F_OK) and not os.access(place, right):
            raise IndexingError(f"{str(place)!r} may not be read: be the user whose it is, or name another --data-dir.")


def address(path: Path) -> str:
    """Return the URI of a database file, read-only if it cannot be written."""
    # Readers of a WAL database need files beside it. If there are none, no process writes, and it can be read without.
    immutable = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return f"file:{quote(str(path.absolute()))}?mode={'rw' if _is_writable(path) else f'ro{immutable}'}"


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _WRITING:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


CONNECT_SECONDS = 5
STATEMENT_SECONDS = 120  # a page of chunks with their vectors takes well below one
_SILENT_SECONDS = 10.0
# The server notices within half a minute that a machine is gone, and releases its locks.
_SERVER_OPTIONS = {
    "statement_timeout": f"{STATEMENT_SECONDS}s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
    "timezone": "UTC",
}

_Result = TypeVar("_Result")


def open_engine(url: str) -> Engine:
    """Return an engine for a SQLAlchemy URL, which connects on first use; the folder of an SQLite file is created.

    Connections to a server that is gone or frozen fail, and are replaced when it is back.

    Raises:
        IndexingError: The URL is not one of a supported database, or the folder cannot be created.
    """
    try:
        parsed = sa.make_url(url)
        backend = parsed.get_backend_name()
    except (sa.exc.ArgumentError, sa.exc.NoSuchModuleError) as error:
        raise _unknown() from error
    if backend == "sqlite":
        if parsed.database and parsed.database != ":memory:":
            folder = Path(parsed.database).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
            except OSError as error:
                raise IndexingError(
                    f"The data folder {str(folder)!r} cannot be made ({error.strerror}): choose another with "
                    "--data-dir."
                ) from error
        return _open_sqlite(parsed)
    if backend == "postgresql":
        return _open_postgresql(parsed)
    raise _unknown()


def url_without_password(engine: Engine) -> str:
    """Return the URL of a database without its password, for messages."""
    return engine.url.render_as_string(hide_password=True)


@contextmanager
def exclusive_transaction(engine: Engine) -> Iterator[Connection]:
    """Open a transaction that changes tables; only one is open in a database at a time, on all machines."""
    with engine.connect() as connection:
        if engine.dialect.name == "sqlite":
            connection.exec_driver_sql("PRAGMA foreign_keys=OFF")  # for tables that are rebuilt
            connection.exec_driver_sql("BEGIN IMMEDIATE")
        else:
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('footnote tables'))")
        try:
            yield connection
            connection.commit()
        finally:
            if engine.dialect.name == "sqlite":
                connection.rollback()
                connection.exec_driver_sql("PRAGMA foreign_keys=ON")


def _open_postgresql(url: URL) -> Engine:
    from psycopg import Connection as PsycopgConnection  # SQLite needs none of this
    from psycopg import OperationalError
    from psycopg.abc import PQGen

    class _Watched(PsycopgConnection[Any]):
        """Ends a statement if the server answers neither it nor a new connection; a frozen one keeps sockets open."""

        def wait(self, gen: PQGen[_Result], interval: float = 0.1, timeout: float | None = None) -> _Result:
            return super().wait(self._watch(gen, interval), interval, timeout)

        def _watch(self, gen: PQGen[_Result], interval: float) -> Generator[Any, Any, _Result]:
            silent = 0.0
            ready = None
            try:
                while True:
                    ready = yield gen.send(ready)  # type: ignore[arg-type]  # the first of all is None
                    silent = 0.0 if ready else silent + interval
                    if silent > _SILENT_SECONDS:
                        silent = 0.0
                        self._check_server()
            except StopIteration as end:
                result: _Result = end.value
                return result

        def _check_server(self) -> None:
            try:
                PsycopgConnection.connect(self.info.dsn, password=self.info.password, connect_timeout=CONNECT_SECONDS)
            except OperationalError:
                self.pgconn.finish()
                raise

    options = " ".join(f"-c {name}={value}" for name, value in _SERVER_OPTIONS.items())
    parameters = {"connect_timeout": CONNECT_SECONDS, "options": options, "application_name": "footnote", **url.query}
    engine = sa.create_engine(
        url.set(drivername="postgresql+psycopg", query={}),
        pool_pre_ping=True,
        pool_timeout=STATEMENT_SECONDS,
        connect_args=parameters,
    )

    @sa.event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, arguments: Any, given: Any) -> _Watched:
        return _Watched.connect(*arguments, **given)

    @sa.event.listens_for(engine, "handle_error")
    def _explain(context: ExceptionContext) -> None:
        # A pooled connection is tested before it is used: a lost one is replaced, which is not an error.
        if isinstance(context.original_exception, OperationalError) and not context.is_pre_ping:
            raise unavailable(context.original_exception) from context.original_exception

    return engine


def unavailable(error: BaseException) -> DatabaseUnavailableError:
    """Return the error for a server that is gone, too slow, or refuses."""
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0].removeprefix("connection failed: ")
    return DatabaseUnavailableError(
        f"The database does not answer ({reason}): check the server that database_url names; nothing is lost, "
        "and Footnote goes on by itself when it is back."
    )


def _unknown() -> IndexingError:
    return IndexingError(
        "The database_url is not a SQLAlchemy URL of a known database: write sqlite:///PATH or postgresql://…"
    )
