"""Whether a score tells two kinds of questions apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from eval.measures.interval import Metric, Samples

_RESAMPLES = 2_000
_SEED = 20_250_416


def auroc(positive: Samples, negative: Samples) -> float:
    """Return how often a positive scores higher than a negative, ties counting half; both must not be empty.

    The area under the ROC curve is this share: J. Hanley and B. McNeil, "The meaning and use of the area under a
    receiver operating characteristic (ROC) curve" (1982).
    """
    ordered = numpy.sort(negative)
    below = numpy.searchsorted(ordered, positive, side="left")
    up_to = numpy.searchsorted(ordered, positive, side="right")
    return float((below + up_to).sum() / (2 * len(positive) * len(negative)))


def summarise_auroc(samples: Sequence[tuple[float, bool] | None]) -> Metric:
    """Return the AUROC of (score, is positive) pairs with its 95% interval; no value where one kind is missing.

    The interval is a percentile bootstrap that draws from each kind separately, so that every resample has both: the
    default of X. Robin et al., "pROC" (2011).
    """
    scored = [sample for sample in samples if sample is not None]
    positive = numpy.asarray([score for score, is_positive in scored if is_positive], dtype=numpy.float64)
    negative = numpy.asarray([score for score, is_positive in scored if not is_positive], dtype=numpy.float64)
    if not len(positive) or not len(negative):
        return Metric(value=None, n=0, unscored=len(samples), low=None, high=None)
    generator = numpy.random.default_rng(_SEED)
    drawn = [
        auroc(generator.choice(positive, len(positive)), generator.choice(negative, len(negative)))
        for _ in range(_RESAMPLES)
    ]
    low, high = numpy.quantile(drawn, [0.025, 0.975])
    unscored = len(samples) - len(scored)
    return Metric(value=auroc(positive, negative), n=len(scored), unscored=unscored, low=float(low), high=float(high))
