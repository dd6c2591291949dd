"""The files below the folders that are to be indexed, and their hashes."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from os.path import realpath
from pathlib import Path

from index.errors import IndexingError
from index.readers import READERS_VERSION, is_supported
from index.sync.sync_report import OutcomeCollector, SyncProgress, SyncReport

NO_NAME_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STILL_SECONDS = 1.0


def check_paths(paths: Sequence[Path]) -> None:
    """Check that paths exist, before anything is loaded or locked.

    Raises:
        IndexingError: A path does not exist, cannot be read, or has control characters or invalid UTF-8 in its name.
    """
    for path in paths:
        if not is_text(path.absolute()):
            raise IndexingError(
                f"The path {str(path)!r} is not text on one line: rename the folder. Nothing was changed."
            )
        try:
            path.stat()
        except FileNotFoundError as error:
            raise IndexingError(
                f"There is no folder or file at {str(path)!r}: check the path. Nothing was changed."
            ) from error
        except OSError as error:
            raise _unusable(path, error) from error


def files_below(path: Path, on_unreadable: Callable[[str, OSError], None]) -> list[tuple[Path, str]]:
    """Return the files of a path with their names in the index, hidden ones left out, in a fixed order.

    Args:
        path: A file, or a folder.
        on_unreadable: Called with the name of each folder below it that cannot be read.

    Raises:
        IndexingError: The folder itself cannot be read.
    """
    if path.is_file():
        return [(path, _name(path, path.parent))]

    def note(error: OSError) -> None:
        if Path(error.filename) == path:
            raise _unusable(path, error) from error
        on_unreadable(_name(Path(error.filename), path), error)

    found = []
    for folder, subfolders, names in os.walk(path, onerror=note):
        subfolders[:] = [name for name in subfolders if not is_hidden(name)]
        links = (name for name in subfolders if os.path.islink(Path(folder, name)))  # noqa: PTH114  # Path.is_symlink may raise
        files = [Path(folder, name) for name in (*links, *names) if not is_hidden(name)]
        found += [(file, _name(file, path)) for file in files]
    return sorted(found, key=lambda pair: pair[1])


def is_text(path: Path) -> bool:
    """Return whether a path is valid UTF-8 without control characters."""
    return not NO_NAME_CHARACTER.search(str(path))


def _name(file: Path, folder: Path) -> str:
    r"""Return the name of a file in the index; invalid bytes and control characters are escaped, as `\xe9` or `\n`."""
    text = os.fsencode(file.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
    return NO_NAME_CHARACTER.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def is_hidden(name: str) -> bool:
    """Return whether files and folders of this name are ignored."""
    return name.startswith((".", "~$"))


def is_still(path: Path) -> bool:
    """Return whether a file was last written more than a second ago, or in the future of a wrong clock."""
    return abs(time.time() - path.stat().st_mtime) >= _STILL_SECONDS


def _unusable(path: Path, error: OSError) -> IndexingError:
    return IndexingError(
        f"The folder {str(path)!r} cannot be read ({error.strerror}): is its disk there, and are you allowed to? "
        "Nothing was changed."
    )


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A file to be indexed: its path, its name in the index, and its hash."""

    path: Path
    name: str
    file_hash: str


def scan(
    paths: Sequence[Path],
    report: SyncReport,
    outcomes: OutcomeCollector,
    progress: SyncProgress,
    *,
    unattended: bool,
) -> tuple[list[ScannedFile], list[Path]]:
    """Return the files to be indexed, by folder and name, and the empty folders; record why others are left out."""
    below = {path: files_below(path, outcomes.fail_to_open) for path in paths}
    found = [pair for pairs in below.values() for pair in pairs]
    files = []
    for number, (path, name) in enumerate(found):
        progress("scan", number, len(found))
        if (before := outcomes.before.get(name)) and before.excluded:
            report.excluded.append(name)
            continue
        try:
            if problem := _problem(path, paths):
                outcomes.fail(name, problem)
            elif unattended and not is_still(path):
                report.pending.append(name)
            else:
                files.append(ScannedFile(path, name, _hash_file(path)))
        except OSError as error:
            outcomes.fail_to_open(name, error)
    return files, [path for path, pairs in below.items() if not pairs]


def _problem(path: Path, paths: Sequence[Path]) -> str:
    """Return why a file is not opened, or an empty text."""
    if not is_text(path):
        return "has a name that is not text on one line: rename it"
    # Unlike Path.resolve, realpath does not fail for a link to itself.
    if path.is_symlink() and not any(Path(realpath(path)).is_relative_to(realpath(root)) for root in paths):
        return "is a link out of the folder: copy the file into it"
    if path.is_symlink() and not path.is_file():
        return "is a link to a folder, to itself or to nothing: put the documents into its place, or remove it"
    if not stat.S_ISREG(path.stat().st_mode):
        return "is not a regular file: put a copy of the document in its place"
    if not is_supported(path):
        return f"is not a supported format ({path.suffix or 'no suffix'})"
    return ""


def _hash_file(path: Path) -> str:
    """Return a hash of the file and of how it is read."""
    with path.open("rb") as file:
        return f"{READERS_VERSION}:" + hashlib.file_digest(file, "sha256").hexdigest()
