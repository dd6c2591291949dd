"""SQLite as the catalogue uses it: durable, readable while it is written, and from a folder that may not be written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import quote

import sqlalchemy as sa

# WAL lets readers go on while an indexing run writes; FULL makes a commit survive a power cut.
_WRITING = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=10000", "foreign_keys=ON", "secure_delete=ON")


def sqlite_engine(url: sa.URL) -> sa.Engine:
    """Return an engine for an SQLite database; one that only reads where its folder cannot be written."""
    path = Path(url.database or "")
    if url.database and path.is_file() and not (os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)):
        # Readers of a WAL database write a file beside it; from a folder that nobody can write, none is needed.
        name = f"file:{quote(str(path.absolute()))}"
        return sa.create_engine(f"sqlite:///{name}?mode=ro&immutable=1&uri=true")
    engine = sa.create_engine(url)
    sa.event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for pragma in _WRITING:
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
