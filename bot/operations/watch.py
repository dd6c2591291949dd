"""Keeps the index in line with its folders while the web application serves. The one module that uses watchfiles."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from watchfiles import Change, watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from bot.answer.errors import WatchError
from bot.operations.indexing import index_in_child
from bot.settings import Settings
from index.errors import DatabaseUnavailableError
from index.store.catalogue import Catalogue
from index.sync.scan import is_hidden, is_still

# A batch of changes ends when there has been none for a second, or when the first is ten seconds old.
_QUIET_MILLISECONDS = 1_000
_MOST_MILLISECONDS = 10_000
_TICK_MILLISECONDS = 2_000
_BEFORE_NEXT_ATTEMPT = 60.0  # seconds
_FIRST_PAUSE = 5.0  # seconds before a failed run is tried again


def changes(
    folders: Sequence[Path], ignored: Path, stop: threading.Event, say: Callable[[str], None]
) -> Generator[set[Path], None, None]:
    """Yield the paths that changed in folders, and every two seconds an empty set, until `stop` is set.

    A folder that is missing, or cannot be followed, is tried again; one that was replaced or mounted is followed anew.

    Args:
        folders: Folders or files; they need not exist.
        ignored: A folder whose changes are not told, even inside the others.
        stop: Ends the iteration within a second.
        say: Called with one line when the system refuses to follow the folders.
    """

    def is_told(_change: Change, path: str) -> bool:
        names = next((Path(path).relative_to(one).parts for one in folders if Path(path).is_relative_to(one)), ())
        return not any(map(is_hidden, names)) and not Path(path).is_relative_to(ignored)

    while not stop.is_set():
        followed = _identities(folders)
        try:
            for batch in watch(
                *(folder for folder, identity in zip(folders, followed, strict=True) if identity),
                watch_filter=is_told,
                debounce=_MOST_MILLISECONDS,
                step=_QUIET_MILLISECONDS,
                rust_timeout=_TICK_MILLISECONDS,
                yield_on_timeout=True,
                stop_event=stop,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield {Path(path) for _, path in batch}
                if _identities(folders) != followed:
                    yield set(folders)
                    break
        except WatchfilesRustInternalError:
            # A file name that is not valid UTF-8 loses the whole batch, so that anything may have changed.
            stop.wait(_QUIET_MILLISECONDS / 1_000)
            yield set(folders)
        except OSError as error:
            say(f"The folders cannot be followed ({error}): they are looked through now and then instead.")
            stop.wait(_BEFORE_NEXT_ATTEMPT)
            yield set()


def _identities(folders: Sequence[Path]) -> list[tuple[int, int] | None]:
    """Return the disk and number of each folder, None for one that is not there."""
    found: list[tuple[int, int] | None] = []
    for folder in folders:
        try:
            status = folder.stat()
        except OSError:
            found.append(None)
        else:
            found.append((status.st_dev, status.st_ino))
    return found


class FolderWatch:
    """Follows the folders of the setting `documents` in a thread of its own.

    A run begins when something has changed and is still, when people have marked a file, and as a sweep every
    `watch_sweep_seconds` for what the system did not tell, as it does not for folders on a network. What changes
    meanwhile is collected for the next. A run that fails is tried again after a pause that doubles each time.

    Args:
        settings: The folders, and where the index is.
        say: Called with one line about each run that changed something, and about each failure.
    """

    def __init__(self, settings: Settings, say: Callable[[str], None]) -> None:
        self._settings = settings
        self._say = say
        self._folders = [path.absolute() for path in settings.documents]
        self._catalogue = Catalogue(settings.catalogue_url())
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, name="folder watch")
        self._changed: set[Path] = set()
        self._next_sweep = 0.0
        self._not_before = 0.0
        self._pause = _FIRST_PAUSE
        self._told: set[tuple[str, str]] = set()  # failed files and their reasons that have been said

    def start(self) -> None:
        """Start, with a sweep: files may have changed since the last run."""
        self._thread.start()

    def close(self) -> None:
        """Stop following, and end a run that is going on."""
        self._stop.set()
        self._thread.join()
        self._catalogue.close()

    def _follow(self) -> None:
        with closing(changes(self._folders, self._settings.data_dir.absolute(), self._stop, self._say)) as batches:
            for batch in batches:
                self._changed |= batch
                if self._is_due():
                    self._index()

    def _is_due(self) -> bool:
        now = time.monotonic()
        if now < self._not_before:
            return False
        return now >= self._next_sweep or any(map(_is_settled, self._changed)) or self._is_work_waiting()

    def _is_work_waiting(self) -> bool:
        try:
            return self._catalogue.files.is_work_waiting()
        except (SQLAlchemyError, DatabaseUnavailableError):
            return False  # the database is away: the next sweep says so

    def _index(self) -> None:
        settled = set(filter(_is_settled, self._changed))
        try:
            report = index_in_child(self._settings, self._stop)
        except WatchError as error:
            self._put_off(error)
            return
        self._pause = _FIRST_PAUSE
        self._next_sweep = time.monotonic() + self._settings.watch_sweep_seconds
        self._changed -= settled
        self._changed |= {path for name in report["pending"] for path in self._places(name)}
        self._tell(report)

    def _put_off(self, error: WatchError) -> None:
        if self._stop.is_set():
            return
        self._say(f"The folders could not be indexed: {error} Next try in {self._pause:.0f} s.")
        self._not_before = time.monotonic() + self._pause
        self._next_sweep = min(self._next_sweep, self._not_before)
        self._pause = min(2 * self._pause, self._settings.watch_sweep_seconds)

    def _places(self, name: str) -> list[Path]:
        return [folder / name for folder in self._folders if (folder / name).exists()]

    def _tell(self, report: Mapping[str, Any]) -> None:
        counts = [f"{len(report[name])} {name}" for name in ("added", "changed", "removed") if report[name]]
        if counts:
            self._say(f"Indexed: {', '.join(counts)}.")
        failed = {(one["source"], one["reason"]) for one in report["failed"]}
        for source, reason in sorted(failed - self._told):
            self._say(f"failed: {source} {reason}")
        self._told = failed


def _is_settled(path: Path) -> bool:
    """Return whether the file at a path is not being written; a folder or a missing file counts as settled."""
    try:
        return not path.is_file() or is_still(path)
    except OSError:
        return True
