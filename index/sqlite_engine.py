"""SQLite as the catalogue uses it: durable, readable while it is written, and from a folder that may not be written."""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

from index.errors import DatabaseUnwritableError, IndexingError

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


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """Return an engine for an SQLite database; one that only reads where its folder cannot be written.

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
        # The lower byte is the error, the others say more of it.
        if isinstance(error, sqlite3.OperationalError) and error.sqlite_errorcode & 0xFF in _NOT_NOW:
            raise DatabaseUnwritableError(
                f"The database {str(path)!r} cannot be used ({error}): see that there is room and that you may write "
                "it, and try again. Nothing of it is lost."
            ) from error

    return engine


def check_may_be_read(path: Path) -> None:
    """Refuse a file that another user keeps to himself, before SQLite says that it is not there.

    Raises:
        IndexingError: It may not be read, or its folder not be looked into.
    """
    for place, right in ((path.parent, os.R_OK | os.X_OK), (path, os.R_OK)):
        if os.access(place, os.F_OK) and not os.access(place, right):
            raise IndexingError(f"{str(place)!r} may not be read: be the user whose it is, or name another --data-dir.")


def address(path: Path) -> str:
    """Return the URI of a database file, such that nothing is written where nothing can be written."""
    # Readers of a WAL database need files beside it. Where there are none, nobody writes, and they can do without.
    immutable = "" if path.with_name(f"{path.name}-wal").exists() else "&immutable=1"
    return f"file:{quote(str(path.absolute()))}?mode={'rw' if _is_writable(path) else f'ro{immutable}'}"


def _is_writable(path: Path) -> bool:
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _WRITING:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
