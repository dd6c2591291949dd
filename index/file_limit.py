"""A bound on the size of any file this process writes.

Chroma's local writer, torn by a kill, has written files of terabytes; with a bound such a write fails.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Final

_ALWAYS_ALLOWED: Final = 16 * 2**30  # bytes: a database or a graph of several million chunks
_TIMES_WHAT_IS_THERE: Final = 4


def limit_file_size(folder: Path) -> None:
    """Lower this process's limit to what an index can need that is now as large as the files below a folder.

    Python ignores the signal that comes with the limit, so a write beyond it is an OSError. A lower limit stays.
    """
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    wanted = max(_ALWAYS_ALLOWED, _TIMES_WHAT_IS_THERE * there)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY or soft > wanted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wanted, hard))
