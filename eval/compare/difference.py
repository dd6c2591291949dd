"""How much each measure differs between two runs over the same questions, and how sure that is.

The statistics here are those of `eval.measures`, computed for many resamples at once, because a permutation test needs
thousands of them. `weights` has one row a resample and one column a sample, and says how often each sample counts; a
function returns one value a resample, NaN where nothing counts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy
from numpy.typing import NDArray
from scipy.stats import binomtest, permutation_test

from eval.compare.comparison import MeasureDifference, Test
from eval.compare.pair import QuestionPair, Side
from eval.measures.interval import Samples
from eval.measures.scoring import MEASURES, PERCENTILES, TAG_MEASURES, summarise_all
from eval.report.report import QuestionReport, RunReport

# Every measure of a run: a summary of no questions names them all.
MEASURE_NAMES = tuple(summarise_all((), ()))

_LESS_IS_BETTER = ("_rate", "_error", "_ms")

Weights = NDArray[numpy.float64]
Values = NDArray[numpy.float64]
WeightedStatistic = Callable[[Samples, Weights], Values]

# What a measure looks at in one question: a number or a few, or None where it does not apply.
Sample = tuple[float, ...] | None
_Look = Callable[[QuestionReport], Sample]

_RESAMPLES = 2_000
_PERMUTATIONS = 9_999
_CELLS_AT_ONCE = 2_000_000
_DECIMALS = 12
_SEED = 20_250_416
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


@dataclass(frozen=True, slots=True)
class PairedSamples:
    """The samples of one measure for the same questions in two runs.

    Attributes:
        a: One row a question; not a number where A does not score it.
        b: The same of B.
        cluster: For each question the number, from 0, of its cluster: questions that depend on each other.
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
    def scored(self) -> tuple[NDArray[numpy.bool_], NDArray[numpy.bool_]]:
        """Which questions A scores, and which B scores."""
        missing = (numpy.isnan(side).any(axis=1) for side in (self.a, self.b))
        a, b = (numpy.asarray(~rows, dtype=numpy.bool_) for rows in missing)
        return a, b


def paired_difference(name: str, samples: PairedSamples, statistic: WeightedStatistic) -> MeasureDifference:
    """Return the values of a measure in both runs, their difference, its 95% interval and p-value.

    A measure may score a question in one run and not in the other (`refusal_precision` looks at what was refused), so
    each value is over the questions that its run scores; where both score the same ones, the difference of the values
    is the mean of the paired differences.
    """
    scored_a, scored_b = samples.scored
    a, b = _value(samples.a[scored_a], statistic), _value(samples.b[scored_b], statistic)
    counts = {"n": int((scored_a & scored_b).sum()), "n_a": int(scored_a.sum()), "n_b": int(scored_b.sum())}
    if a is None or b is None:
        return MeasureDifference(measure=name, a=a, b=b, difference=None, **counts)
    low, high = difference_interval(samples, statistic)
    p_value, test = _p_value(samples, statistic, abs(b - a))
    return MeasureDifference(
        measure=name, a=a, b=b, difference=b - a, low=low, high=high, p_value=p_value, test=test, **counts
    )


def difference_interval(samples: PairedSamples, statistic: WeightedStatistic) -> tuple[float, float]:
    """Return the 95% percentile interval of the difference, from questions drawn in pairs, with a fixed seed.

    The turns of a dialogue are drawn together: A. C. Davison and D. V. Hinkley, "Bootstrap Methods and their
    Application" (1997), section 3.8; the pairs, as in P. Koehn, "Statistical Significance Tests for
    Machine Translation Evaluation" (2004). It has no width where no question changed.
    """
    clusters = int(samples.cluster.max()) + 1
    generator = numpy.random.default_rng(_SEED)
    drawn = generator.multinomial(clusters, numpy.full(clusters, 1 / clusters), size=_RESAMPLES)
    weights = drawn[:, samples.cluster].astype(numpy.float64)
    scored_a, scored_b = samples.scored
    differences = statistic(samples.b[scored_b], weights[:, scored_b]) - statistic(
        samples.a[scored_a], weights[:, scored_a]
    )
    # A resample without a scored question has no value, and there is at least the one that was observed.
    low, high = numpy.nanquantile(differences, [0.025, 0.975])
    return float(low), float(high)


def mcnemar(samples: PairedSamples) -> float:
    """Return the exact two-sided p-value for paired zeros and ones.

    Only questions that changed count, and each is as likely to have changed either way: Q. McNemar, "Note on the
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
    # Swapping equal results changes nothing. With fewer results to swap, more often all swaps can be tried.
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
    scored_a, scored_b = samples.scored
    pooled = numpy.concatenate([samples.a[scored_a], samples.b[scored_b]])
    from_a, from_b = swaps[:, scored_a], swaps[:, scored_b]
    first = statistic(pooled, numpy.concatenate([1 - from_a, from_b], axis=1))
    second = statistic(pooled, numpy.concatenate([from_a, 1 - from_b], axis=1))
    # A swap that leaves one side without any scored question cannot be told from a large difference.
    distances = numpy.nan_to_num(numpy.abs(second - first), nan=numpy.inf)
    return numpy.round(distances, _DECIMALS)  # equal differences stay equal, whatever order they were summed in


def _p_value(samples: PairedSamples, statistic: WeightedStatistic, observed: float) -> tuple[float, Test]:
    alone = int(samples.cluster.max()) + 1 == len(samples.cluster)
    scored_a, scored_b = samples.scored
    same_questions = bool((scored_a == scored_b).all())
    values = numpy.concatenate([samples.a[scored_a], samples.b[scored_b]])
    if statistic is weighted_mean and alone and same_questions and numpy.isin(values, (0, 1)).all():
        return mcnemar(samples), "mcnemar"
    return permutation_p_value(samples, statistic, observed), "permutation"


def _value(scored: Samples, statistic: WeightedStatistic) -> float | None:
    return float(statistic(scored, numpy.ones((1, len(scored))))[0]) if len(scored) else None


def less_is_better(name: str) -> bool:
    """Return whether lower values of a measure are better: rates of mistakes, errors and waiting times."""
    return name.endswith(_LESS_IS_BETTER)


def measure_differences(a: RunReport, b: RunReport, pairs: Sequence[QuestionPair]) -> tuple[MeasureDifference, ...]:
    """Return the difference of every measure that either run reports, in the order of the reports."""
    names = dict.fromkeys([*b.metrics, *a.metrics])
    return tuple(_difference(name, pairs) or _as_reported(name, a, b) for name in names)


def tag_differences(pairs: Sequence[QuestionPair], tag: str) -> tuple[MeasureDifference, ...]:
    """Return the difference of every measure by tag over the questions that have the tag in B."""
    tagged = [pair for pair in pairs if tag in pair.b.asked[0].golden.tags]
    return tuple(found for name in TAG_MEASURES if (found := _difference(name, tagged)))


def _difference(name: str, pairs: Sequence[QuestionPair]) -> MeasureDifference | None:
    """Return the paired difference of a measure, or None where a question has no part in it."""
    how = _how(name, pairs)
    if how is None:
        return None
    look, statistic = how
    sides = ([_average(pair.a, look) for pair in pairs], [_average(pair.b, look) for pair in pairs])
    return paired_difference(name, PairedSamples.of(*sides, [pair.cluster for pair in pairs]), statistic)


def _how(
    name: str, pairs: Sequence[QuestionPair]
) -> tuple[Callable[[QuestionReport], Sample], WeightedStatistic] | None:
    """Return what a measure looks at in a question and what it makes of all, or None where that is not known."""
    if name in PERCENTILES:
        return _total_milliseconds, partial(weighted_percentile, share=PERCENTILES[name])
    if name == "calibration_error":
        return _confidence_and_outcome, weighted_calibration_error
    if name in MEASURES or any(name in one.scores for pair in pairs for one in (*pair.a.asked, *pair.b.asked)):
        return partial(_score, name=name), weighted_mean
    return None


def _average(side: Side, look: _Look) -> Sample:
    """Return the sample of a question, averaged over the times it was asked and scored."""
    samples = [sample for sample in map(look, side.answered) if sample is not None]
    return tuple(sum(column) / len(samples) for column in zip(*samples, strict=True)) if samples else None


def _score(question: QuestionReport, name: str) -> Sample:
    value = question.scores.get(name)
    return None if value is None else (value,)


def _total_milliseconds(question: QuestionReport) -> Sample:
    total = question.answer.timings_ms.get("total") if question.answer else None
    return None if total is None else (total,)


def _confidence_and_outcome(question: QuestionReport) -> Sample:
    # As `eval.measures.confidence` has it, with the outcome that the run itself found.
    if question.answer is None or question.answer.kind != "answer":
        return None
    return question.answer.confidence, question.scores.get("answer_correct") or 0.0


def _as_reported(name: str, a: RunReport, b: RunReport) -> MeasureDifference:
    """Return a measure that is of the whole run and of no question, without an interval."""
    (value_a, n_a), (value_b, n_b) = (
        (metric.value, metric.n) if (metric := report.metrics.get(name)) else (None, 0) for report in (a, b)
    )
    difference = None if value_a is None or value_b is None else value_b - value_a
    return MeasureDifference(
        measure=name, a=value_a, b=value_b, n=min(n_a, n_b), n_a=n_a, n_b=n_b, difference=difference
    )
