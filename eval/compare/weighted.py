"""The statistics of `eval.measures` over many resamples at once: a resample says how often each sample counts.

`weights` has one row a resample and one column a sample; each function returns one value a resample, not a number where
nothing counts. With weights of 1 the values are those of `eval.measures`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy
from numpy.typing import NDArray

from eval.measures.interval import Samples

Weights = NDArray[numpy.float64]
Values = NDArray[numpy.float64]
WeightedStatistic = Callable[[Samples, Weights], Values]

_BINS = 10
_ROUNDING = 1e-9


def weighted_mean(samples: Samples, weights: Weights) -> Values:
    """Return `eval.measures.interval.mean`."""
    return _divide(weights @ samples[:, 0], weights.sum(axis=1))


def weighted_percentile(samples: Samples, weights: Weights, share: float) -> Values:
    """Return `eval.measures.latency.percentile`: the smallest sample that `share` of the weight does not exceed."""
    order = numpy.argsort(samples[:, 0], kind="stable")
    below = weights[:, order].cumsum(axis=1)
    total = below[:, -1:]
    place = (below >= share * total - _ROUNDING).argmax(axis=1)
    return numpy.where(total[:, 0] > 0, samples[order[place], 0], numpy.nan)


def weighted_calibration_error(samples: Samples, weights: Weights) -> Values:
    """Return `eval.measures.calibration.calibration_error` of (confidence, outcome) pairs."""
    confidence, outcome = samples.T
    bins = numpy.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = (confidence - outcome)[:, None] * (bins[:, None] == numpy.arange(_BINS))
    return _divide(numpy.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _divide(numerator: Values, denominator: Values) -> Values:
    return numpy.divide(numerator, denominator, out=numpy.full_like(numerator, numpy.nan), where=denominator > 0)
