"""Running headers and footers: lines at the edge of most pages that differ by numbers at most."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import Final

from index.readers.pdf_layout import Line

_EDGE: Final = 0.12  # of the page's height
_LEAST_PAGES: Final = 3
_DIGITS = re.compile(r"\d+|\b[ivxlc]+\b")


def take_out_furniture(pages: Sequence[list[Line]], heights: Sequence[float]) -> tuple[list[list[Line]], list[str]]:
    """Return the pages without their running headers and footers, and those, each once.

    Args:
        pages: The lines of each page.
        heights: Of the pages, in points.
    """
    found = Counter(
        key
        for lines, height in zip(pages, heights, strict=True)
        for key in {_key(line.text) for line in lines if _at_edge(line, height)}
    )
    repeated = {key for key, count in found.items() if key and count >= max(_LEAST_PAGES, len(pages) / 2)}
    kept, taken = [], {}
    for lines, height in zip(pages, heights, strict=True):
        out = [line for line in lines if _at_edge(line, height) and _key(line.text) in repeated]
        taken.update({_key(line.text): line.text for line in out})
        kept.append([line for line in lines if line not in out])
    return kept, list(taken.values())


def _at_edge(line: Line, height: float) -> bool:
    return bool(line.text) and (line.top < _EDGE * height or line.bottom > (1 - _EDGE) * height)


def _key(text: str) -> str:
    return _DIGITS.sub("#", " ".join(text.lower().split()))
