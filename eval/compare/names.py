"""The measures of a run by name, and which way each is better."""

from __future__ import annotations

from eval.metrics import summarise_all

# Every measure that a run of this version reports: what it makes of no questions at all.
MEASURE_NAMES = tuple(summarise_all((), ()))

_LESS_IS_BETTER = ("_rate", "_error", "_ms")


def less_is_better(name: str) -> bool:
    """Return whether a measure is the better the lower it is: rates of mistakes, errors and waiting times."""
    return name.endswith(_LESS_IS_BETTER)
