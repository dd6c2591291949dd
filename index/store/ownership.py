"""One writer at a time: locks that name their holder and end with it.

`lock_data_folder` excludes other processes on this machine. `elect_writer` excludes other machines that share the
database: on PostgreSQL by an advisory lock, which the server releases when the holder's connection ends. A holder may
not notice that it lost its connection, so each of its transactions calls `confirm_elected`.
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
def lock_data_folder(data_dir: Path) -> Iterator[None]:
    """Lock the data folder for writing.

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
def elect_writer(engine: Engine) -> Iterator[str]:
    """Elect this run as the only one that writes to the database, and yield its name for `confirm_elected`.

    Raises:
        IndexBusyError: Another run has been elected; the message names it.
    """
    with engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT")  # an open transaction would keep old rows alive
        shared = engine.dialect.name == "postgresql"
        if shared and not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(_LOCK))):
            raise IndexBusyError(f"{_describe_owner(connection)} is writing to the database: wait until it ends.")
        owner = f"{socket.gethostname()} {os.getpid()} {uuid.uuid4().hex}"
        if not connection.execute(PROPERTIES.update().where(_OWNER).values(value=owner)).rowcount:
            connection.execute(PROPERTIES.insert().values(name="owner", value=owner))
        try:
            yield owner
        finally:
            if shared:
                with suppress(DatabaseUnavailableError):  # then the server has released it
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(_LOCK)))


def confirm_elected(connection: Connection, owner: str) -> None:
    """Check that no other run has been elected, and prevent it until the end of the transaction.

    Raises:
        IndexBusyError: Another run has been elected; the message names it.
    """
    still = PROPERTIES.update().where(_OWNER, PROPERTIES.c.value == owner).values(value=owner)
    if not connection.execute(still).rowcount:
        raise IndexBusyError(
            f"This run lost its hold on the database, and {_describe_owner(connection)} took over: "
            "nothing of it was published."
        )


def _describe_owner(connection: Connection) -> str:
    owner = connection.scalar(sa.select(PROPERTIES.c.value).where(_OWNER)) or "unknown unknown"
    host, process = owner.split()[:2]
    return f"Another `footnote index` (process {process} on {host!r})"
