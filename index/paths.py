"""The folders and files that are to be indexed."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from index.errors import IndexingError

NO_NAME_CHARACTER = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_STILL_SECONDS = 1.0


def check_paths(paths: Sequence[Path]) -> None:
    """Refuse paths that do not exist, before anything is loaded or locked.

    Raises:
        IndexingError: There is nothing at one of the paths, its name cannot be stored, or the disk does not say.
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
        on_unreadable: Called with the name of each folder below it that cannot be looked into.

    Raises:
        IndexingError: The folder itself cannot be looked into.
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
        links = (name for name in subfolders if os.path.islink(Path(folder, name)))  # noqa: PTH114  # never fails
        files = [Path(folder, name) for name in (*links, *names) if not is_hidden(name)]
        found += [(file, _name(file, path)) for file in files]
    return sorted(found, key=lambda pair: pair[1])


def is_text(path: Path) -> bool:
    """Return whether a path can be stored, and shown on one line."""
    return not NO_NAME_CHARACTER.search(str(path))


def _name(file: Path, folder: Path) -> str:
    r"""Return what a file is called in the index; what cannot be stored or shown is written as `\xe9` or `\n`."""
    text = os.fsencode(file.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
    return NO_NAME_CHARACTER.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def is_hidden(name: str) -> bool:
    """Return whether a file or folder of this name is passed over."""
    return name.startswith((".", "~$"))


def is_still(path: Path) -> bool:
    """Return whether nobody has written to a file for a second; a time in the future is another machine's clock."""
    return abs(time.time() - path.stat().st_mtime) >= _STILL_SECONDS


def _unusable(path: Path, error: OSError) -> IndexingError:
    return IndexingError(
        f"The folder {str(path)!r} cannot be read ({error.strerror}): is its disk there, and are you allowed to? "
        "Nothing was changed."
    )
