"""A number over many questions, with how many it rests on and how far it can be trusted."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

# One row a question: a score, or a pair of numbers.
Samples = NDArray[numpy.float64]
Statistic = Callable[[Samples], float]

_RESAMPLES = 2_000
_SEED = 20_250_416
_Z = 1.959963984540054  # 97.5th percentile of the standard normal distribution


class Metric(BaseModel):
    """A measure over a set of questions.

    Attributes:
        value: None when nothing could be scored, which is not zero.
        n: How many questions were scored.
        unscored: How many were not, those that crashed included.
        low: Lower end of the 95% interval.
        high: Upper end of the 95% interval.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    value: float | None
    n: int
    unscored: int
    low: float | None
    high: float | None


def mean(samples: Samples) -> float:
    """Return the arithmetic mean."""
    return float(samples.mean())


def summarise(samples: Sequence[float | tuple[float, float] | None], statistic: Statistic) -> Metric:
    """Return a statistic of the samples that are not None, with its 95% interval.

    The mean of zeros and ones gets a Wilson interval, anything else a percentile bootstrap with a fixed seed, so that
    a score never moves by itself.
    """
    scored = numpy.asarray([sample for sample in samples if sample is not None], dtype=numpy.float64)
    n, unscored = len(scored), sum(sample is None for sample in samples)
    if not n:
        return Metric(value=None, n=0, unscored=unscored, low=None, high=None)
    if statistic is mean and numpy.isin(scored, (0, 1)).all():
        low, high = wilson_interval(int(scored.sum()), n)
    else:
        low, high = bootstrap_interval(scored, statistic)
    return Metric(value=statistic(scored), n=n, unscored=unscored, low=low, high=high)


def wilson_interval(successes: int, n: int) -> tuple[float, float]:
    """Return the 95% score interval of a proportion (E. B. Wilson, JASA 22, 1927), for `n` of at least 1."""
    share, z2 = successes / n, _Z * _Z
    middle = (share + z2 / (2 * n)) / (1 + z2 / n)
    half = _Z / (1 + z2 / n) * math.sqrt(share * (1 - share) / n + z2 / (4 * n * n))
    return (0.0 if successes == 0 else middle - half, 1.0 if successes == n else middle + half)


def bootstrap_interval(samples: Samples, statistic: Statistic) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic (B. Efron, Annals of Statistics 7, 1979), fixed seed."""
    generator = numpy.random.default_rng(_SEED)
    n = len(samples)
    values = [statistic(samples[generator.integers(n, size=n)]) for _ in range(_RESAMPLES)]
    low, high = numpy.quantile(values, [0.025, 0.975])
    return float(low), float(high)
