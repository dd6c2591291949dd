"""Whether confidence means what it says."""

from __future__ import annotations

import numpy

from eval.measures.asked import Asked
from eval.measures.correctness import answer_correct
from eval.measures.interval import Samples

_BINS = 10


def confidence_and_outcome(asked: Asked) -> tuple[float, float] | None:
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
