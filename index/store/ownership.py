"""One writer at a time: locks that name their holder and are gone when the holder is.

`own` keeps two processes from one data folder. `elect` keeps two machines from one database: on PostgreSQL by a lock of
the server's, which it frees when the holder's connection ends. A holder that lost its connection need not know that, so
each of its transactions confirms that nobody was elected since.
"""

from __future__ import annotations

import fcntl
import os
import socket
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import Connection, Engine

from index.errors import DatabaseUnavailableError, IndexBusyError, IndexingError
from index.store.schema import PROPERTIES

_LOCK = 0x666F6F74  # "foot"
_OWNER = PROPERTIES.c.name == "owner"


@contextmanager
def own(data_dir: Path) -> Iterator[None]:
    """Hold the data folder for writing.

    Raises:
        IndexBusyError: Another process holds it; the message names it.
        IndexingError: The folder cannot be written.
    """
    path = data_dir / "owner.lock"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        file = path.open("a+", encoding="utf-8")
    except OSError as error:
        raise IndexingError(
            f"The data folder {str(data_dir)!r} cannot be written ({error.strerror}): choose another with --data-dir."
        ) from error
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            raise IndexBusyError(
                f"Another `footnote index` (process {owner}) is writing to {str(data_dir)!r}: wait until it ends."
            ) from error
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


@contextmanager
def elect(engine: Engine) -> Iterator[str]:
    """Yield the name of this run as the only one that writes to the database, for `confirm`.

    Raises:
        IndexBusyError: Another run has been elected; the message names it.
    """
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")  # an open transaction would keep old rows alive
        shared = engine.dialect.name == "postgresql"
        if shared and not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
            raise IndexBusyError(f"{_elected(connection)} is writing to the database: wait until it ends.")
        owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        if not connection.execute(PROPERTIES.update().where(_OWNER).values(value=owner)).rowcount:
            connection.execute(PROPERTIES.insert().values(name="owner", value=owner))
        try:
            yield owner
        finally:
            if shared:
                with suppress(DatabaseUnavailableError):  # then the server has freed it
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))


def confirm(connection: Connection, owner: str) -> None:
    """Keep anybody else from being elected until the end of the transaction.

    Raises:
        IndexBusyError: Somebody has been elected since; the message names it.
    """
    still = PROPERTIES.update().where(_OWNER, PROPERTIES.c.value == owner).values(value=owner)
    if not connection.execute(still).rowcount:
        raise IndexBusyError(
            f"This run lost its hold on the database, and {_elected(connection)} took over: "
            "nothing of it was published."
        )


def _elected(connection: Connection) -> str:
    owner = connection.scalar(sa.select(PROPERTIES.c.value).where(_OWNER)) or "unknown unknown"
    host, process = owner.split()[:2]
    return f"Another `footnote index` (process {process} on {host!r})"
