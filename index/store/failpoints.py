"""Places where a test may end the process the way a power cut would.

`FOOTNOTE_FAILPOINT=publish` ends it at the first arrival at the place of that name, `publish:3` at the third.
`FAILPOINTS` lists the names in the order of a run.

A bound on the size of any file this process writes.

Chroma's local writer, torn by a kill, has written files of terabytes; with a bound such a write fails.
"""

from __future__ import annotations

import os
import resource
from collections import Counter
from pathlib import Path
from typing import Final

FAILPOINTS: Final = (
    "read",
    "embed",
    "stage",
    "vectors",
    "keywords",
    "exact",
    "manifest",
    "check",
    "durable",
    "publish",
    "committed",
    "sweep",
    "swept",
)
EXIT_CODE: Final = 86

_arrivals: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """End the process at once, nothing flushed or cleaned up, if the environment asks for it here."""
    wanted, _, number = os.environ.get("FOOTNOTE_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _arrivals[name] += 1
    if _arrivals[name] == int(number or 1):
        os._exit(EXIT_CODE)


_ALWAYS_ALLOWED: Final = 64 * 2**30  # bytes
_TIMES_WHAT_IS_THERE: Final = 8  # the vectors and the text of an index are in its database before its other files


def limit_file_size(folder: Path) -> None:
    """Lower this process's limit to the most that an index can need whose files below a folder are as large as now.

    Python ignores the signal that comes with the limit, so a write beyond it is an OSError. A lower limit stays.
    """
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    wanted = max(_ALWAYS_ALLOWED, _TIMES_WHAT_IS_THERE * there)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY or soft > wanted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wanted, hard))
