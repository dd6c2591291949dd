"""How long answers took."""

from __future__ import annotations

import numpy

from eval.measures.asked import Asked
from eval.measures.interval import Samples


def total_milliseconds(asked: Asked) -> float | None:
    """Return the whole time of an answer or refusal in milliseconds, or None when it was not recorded."""
    return asked.answer.timings_ms.get("total")


def percentile(samples: Samples, share: float) -> float:
    """Return the smallest sample that at least `share` of all samples do not exceed (nearest rank).

    Definition 1 of Hyndman and Fan, "Sample Quantiles in Statistical Packages" (1996): always a value that occurred.
    """
    return float(numpy.quantile(samples, share, method="inverted_cdf"))
