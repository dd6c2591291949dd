"""What changes in folders, as the system tells it. The one door to watchfiles."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from pathlib import Path

from watchfiles import Change, watch
from watchfiles._rust_notify import WatchfilesRustInternalError

from index.paths import is_hidden

# Changes are told when there has been none for a second, or the first is ten seconds old.
_QUIET_MILLISECONDS = 1_000
_MOST_MILLISECONDS = 10_000
_TICK_MILLISECONDS = 2_000
_BEFORE_NEXT_ATTEMPT = 60.0


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
            # A name that is no text cannot be told, and what changed with it is not known.
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
