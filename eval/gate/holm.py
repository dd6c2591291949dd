"""Several tests at once, none of them more lenient for the company."""

from __future__ import annotations

from collections.abc import Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Return p-values that may each be compared with the level that all tests together shall have, in the same order.

    The smallest is multiplied by their number, the next by one less, and none falls below the one before: S. Holm, "A
    simple sequentially rejective multiple test procedure" (1979). The tests may depend on each other in any way.
    """
    adjusted = [0.0] * len(p_values)
    highest = 0.0
    for done, place in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        highest = max(highest, min(1.0, (len(p_values) - done) * p_values[place]))
        adjusted[place] = highest
    return adjusted
