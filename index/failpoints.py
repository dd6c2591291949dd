"""Places where a test may end the process the way a power cut would.

`FOOTNOTE_FAILPOINT=publish` ends it at the first arrival at the place of that name, `publish:3` at the third.
`FAILPOINTS` lists the names in the order of a run.
"""

from __future__ import annotations

import os
from collections import Counter
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
