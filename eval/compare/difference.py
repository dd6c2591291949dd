"""The statistics of `eval.measures` over many resamples at once: a resample says how often each sample counts.

`weights` has one row a resample and one column a sample; each function returns one value a resample, not a number where
nothing counts. With weights of 1 the values are those of `eval.measures`.

How far one measure lies apart in two runs over the same questions, and how sure that is.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from scipy.stats import binomtest, permutation_test

from eval.compare.comparison import MeasureDifference, Test
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
    """Return `eval.measures.scoring.percentile`: the smallest sample that `share` of the weight does not exceed."""
    order = numpy.argsort(samples[:, 0], kind="stable")
    below = weights[:, order].cumsum(axis=1)
    total = below[:, -1:]
    place = (below >= share * total - _ROUNDING).argmax(axis=1)
    return numpy.where(total[:, 0] > 0, samples[order[place], 0], numpy.nan)


def weighted_calibration_error(samples: Samples, weights: Weights) -> Values:
    """Return `eval.measures.confidence.calibration_error` of (confidence, outcome) pairs."""
    confidence, outcome = samples.T
    bins = numpy.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = (confidence - outcome)[:, None] * (bins[:, None] == numpy.arange(_BINS))
    return _divide(numpy.abs(weights @ gaps).sum(axis=1), weights.sum(axis=1))


def _divide(numerator: Values, denominator: Values) -> Values:
    return numpy.divide(numerator, denominator, out=numpy.full_like(numerator, numpy.nan), where=denominator > 0)


# What a measure looks at in one question: a number or a few, or None where it does not apply.
Sample = tuple[float, ...] | None

_RESAMPLES = 2_000
_PERMUTATIONS = 9_999
_CELLS_AT_ONCE = 2_000_000
_DECIMALS = 12
_SEED = 20_250_416


@dataclass(frozen=True, slots=True)
class PairedSamples:
    """The samples of one measure for the same questions in two runs.

    Attributes:
        a: One row a question; not a number where A does not score it.
        b: The same of B.
        cluster: For each question the number, from 0, of what falls together with it.
    """

    a: Samples
    b: Samples
    cluster: NDArray[numpy.intp]

    @classmethod
    def of(cls, a: Sequence[Sample], b: Sequence[Sample], clusters: Sequence[Hashable]) -> PairedSamples:
        """Return the samples of questions, their clusters named in any way."""
        width = max((len(sample) for sample in (*a, *b) if sample), default=1)
        missing = (float("nan"),) * width
        rows = [
            numpy.asarray([sample or missing for sample in side], dtype=float).reshape(-1, width) for side in (a, b)
        ]
        numbers: dict[Hashable, int] = {}
        cluster = [numbers.setdefault(name, len(numbers)) for name in clusters]
        return cls(rows[0], rows[1], numpy.asarray(cluster, dtype=numpy.intp))

    @property
    def scored_a(self) -> NDArray[numpy.bool_]:
        """Which questions A scores."""
        return _is_scored(self.a)

    @property
    def scored_b(self) -> NDArray[numpy.bool_]:
        """Which questions B scores."""
        return _is_scored(self.b)


def paired_difference(name: str, samples: PairedSamples, statistic: WeightedStatistic) -> MeasureDifference:
    """Return the values of a measure in both runs, their difference, its 95% interval and p-value.

    A measure may score a question in one run and not in the other (`refusal_precision` looks at what was refused), so
    each value is over the questions that its run scores; where both score the same ones, the difference of the values
    is the mean of the paired differences.
    """
    scored_a, scored_b = samples.scored_a, samples.scored_b
    a, b = _value(samples.a[scored_a], statistic), _value(samples.b[scored_b], statistic)
    found = MeasureDifference(
        measure=name,
        a=a,
        b=b,
        n=int((scored_a & scored_b).sum()),
        n_a=int(scored_a.sum()),
        n_b=int(scored_b.sum()),
        difference=None if a is None or b is None else b - a,
    )
    if found.difference is None:
        return found
    low, high = bootstrap_interval(samples, statistic)
    p_value, test = _p_value(samples, statistic, abs(found.difference))
    return found.model_copy(update={"low": low, "high": high, "p_value": p_value, "test": test})


def bootstrap_interval(samples: PairedSamples, statistic: WeightedStatistic) -> tuple[float, float]:
    """Return the 95% percentile interval of the difference, from questions drawn in pairs, with a fixed seed.

    The turns of a dialogue are drawn together: A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
    Application" (1997), section 3.8; the pairs, as in P. Koehn, "Statistical Significance Tests for
    Machine Translation Evaluation" (2004). It has no width where no question changed.
    """
    clusters = int(samples.cluster.max()) + 1
    generator = numpy.random.default_rng(_SEED)
    drawn = generator.multinomial(clusters, numpy.full(clusters, 1 / clusters), size=_RESAMPLES)
    weights = drawn[:, samples.cluster].astype(numpy.float64)
    scored_a, scored_b = samples.scored_a, samples.scored_b
    differences = statistic(samples.b[scored_b], weights[:, scored_b]) - statistic(
        samples.a[scored_a], weights[:, scored_a]
    )
    # A resample without a scored question has no value, and there is at least the one that was observed.
    low, high = numpy.nanquantile(differences, [0.025, 0.975])
    return float(low), float(high)


def mcnemar(samples: PairedSamples) -> float:
    """Return the exact two-sided p-value for paired zeros and ones.

    Only questions that changed speak, and each is as likely to have changed either way: Q. McNemar, "Note on the
    sampling error of the difference between correlated proportions or percentages" (1947), with the binomial
    distribution instead of its approximation.
    """
    gained, lost = int((samples.b > samples.a).sum()), int((samples.b < samples.a).sum())
    return float(binomtest(gained, gained + lost).pvalue) if gained + lost else 1.0


def permutation_p_value(samples: PairedSamples, statistic: WeightedStatistic, observed: float) -> float:
    """Return how often a difference as large as `observed` comes about when A and B are swapped by chance.

    Were the runs alike, the two results of a question could as well have been swapped: R. A. Fisher, "The Design of
    Experiments" (1935), section 21; E. W. Noreen, "Computer-Intensive Methods for Testing Hypotheses" (1989), chapter
    2. The turns of a dialogue are swapped together. Every swap is tried where there are few enough; else 9,999 at
    random, which give (k + 1) / (9,999 + 1): B. Phipson and G. K. Smyth, "Permutation p-values should never be zero"
    (2010).
    """
    # Swapping equal results changes nothing, so only what differs is swapped: all swaps of it are few more often.
    differs = ~((samples.a == samples.b) | (numpy.isnan(samples.a) & numpy.isnan(samples.b))).all(axis=1)
    moving, place = numpy.unique(samples.cluster[differs], return_inverse=True)
    if len(moving) < 2:
        return 1.0  # as large a difference either way round

    def distance(signs: Values, axis: int) -> Values:
        assert axis in (-1, signs.ndim - 1), "scipy puts the questions last"
        swaps = numpy.zeros((signs.size // len(moving), len(samples.a)))
        swaps[:, differs] = signs.reshape(-1, len(moving))[:, place] < 0
        return _distances(samples, statistic, swaps).reshape(signs.shape[:-1])

    result = permutation_test(
        (numpy.ones(len(moving)),),
        distance,
        permutation_type="samples",
        vectorized=True,
        n_resamples=_PERMUTATIONS,
        batch=max(1, _CELLS_AT_ONCE // len(samples.a)),
        alternative="greater",
        rng=numpy.random.default_rng(_SEED),
    )
    assert numpy.isclose(distance(numpy.ones((1, len(moving))), -1)[0], observed), "no swap is what was observed"
    return float(result.pvalue)


def _distances(samples: PairedSamples, statistic: WeightedStatistic, swaps: Weights) -> Values:
    """Return, for each row of `swaps` (1 where A and B change places), how far the two values then lie apart."""
    scored_a, scored_b = samples.scored_a, samples.scored_b
    pooled = numpy.concatenate([samples.a[scored_a], samples.b[scored_b]])
    from_a, from_b = swaps[:, scored_a], swaps[:, scored_b]
    first = statistic(pooled, numpy.concatenate([1 - from_a, from_b], axis=1))
    second = statistic(pooled, numpy.concatenate([from_a, 1 - from_b], axis=1))
    # A swap that leaves one side without any scored question cannot be told from a large difference.
    distances = numpy.nan_to_num(numpy.abs(second - first), nan=numpy.inf)
    return numpy.round(distances, _DECIMALS)  # equal differences stay equal, whatever order they were summed in


def _p_value(samples: PairedSamples, statistic: WeightedStatistic, observed: float) -> tuple[float, Test]:
    alone = int(samples.cluster.max()) + 1 == len(samples.cluster)
    same_questions = bool((samples.scored_a == samples.scored_b).all())
    values = numpy.concatenate([samples.a[samples.scored_a], samples.b[samples.scored_b]])
    if statistic is weighted_mean and alone and same_questions and numpy.isin(values, (0, 1)).all():
        return mcnemar(samples), "mcnemar"
    return permutation_p_value(samples, statistic, observed), "permutation"


def _value(scored: Samples, statistic: WeightedStatistic) -> float | None:
    return float(statistic(scored, numpy.ones((1, len(scored))))[0]) if len(scored) else None


def _is_scored(samples: Samples) -> NDArray[numpy.bool_]:
    return numpy.asarray(~numpy.isnan(samples).any(axis=1), dtype=numpy.bool_)
