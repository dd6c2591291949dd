"""Protection against crashes: failpoints, at which tests end the process, and a limit on the size of files.

`FOOTNOTE_FAILPOINT=publish` ends the process when it first reaches the failpoint of that name, `publish:3` at the third
time. `FAILPOINTS` lists the names in the order of a run.
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

_ALWAYS_ALLOWED: Final = 64 * 2**30  # bytes
_GROWTH: Final = 8  # times the present size: vectors and text are in the database before other files are written

_arrivals: Counter[str] = Counter()


def failpoint(name: str) -> None:
    """End the process at once, without flushing or cleaning up, if the environment names this failpoint."""
    wanted, _, number = os.environ.get("FOOTNOTE_FAILPOINT", "").partition(":")
    if wanted != name:
        return
    _arrivals[name] += 1
    if _arrivals[name] == int(number or 1):
        os._exit(EXIT_CODE)


def limit_file_size(folder: Path) -> None:
    """Limit the size of files that this process writes to what an index needs, by the present size of a folder.

    Chroma's local writer has written files of terabytes after a kill; beyond the limit a write is an OSError. A lower
    limit stays.
    """
    there = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) if folder.is_dir() else 0
    wanted = max(_ALWAYS_ALLOWED, _GROWTH * there)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if soft == resource.RLIM_INFINITY or soft > wanted:
        resource.setrlimit(resource.RLIMIT_FSIZE, (wanted, hard))
