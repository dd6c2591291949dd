"""The folders and files that are to be indexed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from index.errors import IndexingError


def check_paths(paths: Sequence[Path]) -> None:
    """Refuse paths that do not exist, before anything is loaded or locked.

    Raises:
        IndexingError: There is nothing at one of the paths.
    """
    for path in paths:
        if not path.exists():
            raise IndexingError(f"There is no folder or file at {str(path)!r}: check the path. Nothing was changed.")


def files_below(path: Path) -> list[tuple[Path, str]]:
    """Return the files of a path with their names in the index, hidden ones left out, in a fixed order."""
    if path.is_file():
        return [(path, path.name)]
    files = [file for file in path.rglob("*") if file.is_file() or file.is_symlink()]
    named = [(file, file.relative_to(path).as_posix()) for file in files]
    return sorted((pair for pair in named if not _is_hidden(pair[1])), key=lambda pair: pair[1])


def _is_hidden(name: str) -> bool:
    return any(part.startswith((".", "~$")) for part in name.split("/"))
