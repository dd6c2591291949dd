"""One writer at a time: a lock that names its holder and is gone when the holder is."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from index.errors import IndexBusyError, IndexingError


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
