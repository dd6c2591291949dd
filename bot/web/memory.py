"""Gives memory that is free again back to the system.

The C library keeps what threads have freed, a little more with every thousand answers, because each of its arenas is
handed back from the top only (mallopt(3), M_TRIM_THRESHOLD). What Python holds stays as large as it was.
"""

from __future__ import annotations

import ctypes

_trim = getattr(ctypes.CDLL(None), "malloc_trim", None)  # of the GNU C library alone


def give_back() -> None:
    """Hand pages that hold nothing back, those in the middle of an arena too (malloc_trim(3)); a few milliseconds."""
    if _trim is not None:
        _trim(0)
