"""Whether confidence is calibrated, and whether a score tells two kinds of questions apart."""

from __future__ import annotations

from collections.abc import Sequence

import numpy

from eval.measures.answered import AnsweredQuestion
from eval.measures.correctness import answer_correct
from eval.measures.interval import Metric, Samples, percentile_interval

_BINS = 10


def confidence_and_outcome(asked: AnsweredQuestion) -> tuple[float, float] | None:
    """Return the confidence of an answer and 1 if it was right, else 0; only answers with statements are looked at.

    An answer to an unanswerable question was wrong.
    """
    if asked.answer.kind != "answer":
        return None
    return asked.answer.confidence, answer_correct(asked) or 0.0


def calibration_error(pairs: Samples) -> float:
    """Return the expected calibration error of (confidence, outcome) pairs, in [0, 1]; 0 is best.

    Mean distance between confidence and outcome over ten bins of equal width, weighted by their size: C. Guo et al.,
    "On Calibration of Modern Neural Networks" (2017), equation 3. It is biased upwards when bins hold few answers.
    """
    confidence, outcome = pairs.T
    bins = numpy.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = numpy.bincount(bins, weights=confidence - outcome, minlength=_BINS)
    return float(numpy.abs(gaps).sum() / len(pairs))


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

    def draw(generator: numpy.random.Generator) -> float:
        return auroc(generator.choice(positive, len(positive)), generator.choice(negative, len(negative)))

    low, high = percentile_interval(draw)
    unscored = len(samples) - len(scored)
    return Metric(value=auroc(positive, negative), n=len(scored), unscored=unscored, low=low, high=high)
