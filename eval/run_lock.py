"""One run at a time in a folder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from eval.errors import ReportError

_NAME = "run.lock"


@contextmanager
def hold(folder: Path | None) -> Iterator[None]:
    """Keep other processes from running in a folder; one that ends in any way lets go of it.

    Raises:
        ReportError: Another run is being made there, or the folder cannot be written.
    """
    if folder is None:
        yield
        return
    lock = FileLock(folder / _NAME)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except Timeout as error:
        raise ReportError(
            f"Another run is being made in {str(folder)!r}: wait until it ends, or name another folder with --out."
        ) from error
    except OSError as error:
        raise ReportError(
            f"The folder {str(folder)!r} cannot be written ({error.strerror}): name another with --out."
        ) from error
    try:
        yield
    finally:
        lock.release()
