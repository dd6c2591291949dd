"""A measure over many questions, with the number of questions and the 95% interval."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict
from scipy.special import stdtrit

from bot.staff.review.quality import wilson_interval

# One row a question: a score, or a pair of numbers.
Samples = NDArray[numpy.float64]
Statistic = Callable[[Samples], float]
# For each sample the number of the cluster it belongs to, from 0.
Labels = NDArray[numpy.intp]

_RESAMPLES = 2_000
_SEED = 20_250_416


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


def summarise(
    samples: Sequence[float | tuple[float, float] | None],
    statistic: Statistic,
    clusters: Sequence[Hashable] | None = None,
) -> Metric:
    """Return a statistic of the samples that are not None, with its 95% interval.

    The mean of zeros and ones gets a Wilson interval, the mean of other values in [0, 1] or of dependent ones the same
    with their effective number, anything else a percentile bootstrap with a fixed seed, so that a score never moves by
    itself. That these hold what they promise is simulated in tests/eval/test_interval_coverage.py.

    Args:
        samples: One for each question, None where it was not scored.
        statistic: Computed from them.
        clusters: For each sample the name of the group of dependent samples it belongs to, such as the dialogue it is
            a turn of or the question it repeats; None when the samples are independent.
    """
    kept = [place for place, sample in enumerate(samples) if sample is not None]
    scored = numpy.asarray([samples[place] for place in kept], dtype=numpy.float64)
    n, unscored = len(kept), len(samples) - len(kept)
    if not n:
        return Metric(value=None, n=0, unscored=unscored, low=None, high=None)
    labels = _labels(kept if clusters is None else [clusters[place] for place in kept])
    is_independent = labels.max() == n - 1
    if statistic is mean and is_independent and numpy.isin(scored, (0, 1)).all():
        low, high = wilson_interval(float(scored.mean()), n)
    elif statistic is mean and scored.min() >= 0 and scored.max() <= 1:
        low, high = effective_interval(scored, labels)
    else:
        low, high = bootstrap_interval(scored, statistic, None if is_independent else labels)
    return Metric(value=statistic(scored), n=n, unscored=unscored, low=low, high=high)


def effective_interval(samples: Samples, labels: Labels) -> tuple[float, float]:
    """Return the 95% interval of the mean of samples in [0, 1], those of one cluster depending on each other.

    The score interval of a proportion, for as many zeros and ones as would have a mean of the same variance (E. Korn
    and B. Graubard, Survey Methodology 24, 1998; for the score interval N. Dean and M. Pagano, Journal of Survey
    Statistics and Methodology 3, 2015), with the t distribution's quantile for that many clusters. The variance is that
    of a ratio of cluster totals, linearised (W. Cochran, Sampling Techniques, 1977, chapter 9). Where no spread is
    seen each cluster counts as one sample. Percentile bootstraps hold only 87-93% where nearly all samples are 1.
    """
    share, count = float(samples.mean()), int(labels.max()) + 1
    surplus = numpy.bincount(labels, weights=samples - share)
    variance = float((surplus**2).sum()) * count / max(count - 1, 1) / len(samples) ** 2
    spread = share * (1 - share)
    effective = spread / variance if count > 1 and variance > 0 and spread > 0 else float(count)
    return wilson_interval(share, effective, float(stdtrit(max(count - 1, 1), 0.975)))


def bootstrap_interval(
    samples: Samples, statistic: Statistic, labels: Labels | None = None, resamples: int = _RESAMPLES
) -> tuple[float, float]:
    """Return the 95% percentile interval of a statistic (B. Efron, Annals of Statistics 7, 1979), fixed seed.

    With labels whole clusters are drawn, and every sample of a drawn cluster comes with it: the cluster bootstrap
    (A. Davison and D. Hinkley, Bootstrap Methods and their Application, 1997, section 3.8; C. Field and A. Welsh,
    Journal of the Royal Statistical Society B 69, 2007).
    """
    members = None if labels is None else [numpy.flatnonzero(labels == label) for label in range(labels.max() + 1)]
    n = len(samples) if members is None else len(members)

    def draw(generator: numpy.random.Generator) -> float:
        drawn = generator.integers(n, size=n)
        return statistic(samples[drawn if members is None else numpy.concatenate([members[one] for one in drawn])])

    return percentile_interval(draw, resamples)


def percentile_interval(
    draw: Callable[[numpy.random.Generator], float], resamples: int = _RESAMPLES
) -> tuple[float, float]:
    """Return the middle 95% of what `draw` makes of resamples, which it draws from a generator with a fixed seed."""
    generator = numpy.random.default_rng(_SEED)
    low, high = numpy.quantile([draw(generator) for _ in range(resamples)], [0.025, 0.975])
    return float(low), float(high)


def _labels(clusters: Sequence[Hashable]) -> Labels:
    numbers: dict[Hashable, int] = {}
    return numpy.asarray([numbers.setdefault(cluster, len(numbers)) for cluster in clusters], dtype=numpy.intp)
