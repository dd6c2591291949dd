"""Whether the evidence states the answer: one calibrated probability, and which sentences carry it.

Two logistic regressions over `Features`, fitted on public sets by `footnote eval fit`; their parameters are
`calibration.json`, with provenance. The first ranks sentences, the second says how likely the best ones answer.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from bot.evidence import Sentence, feature_names


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """A logistic regression over named features: probability = sigmoid(intercept + weights · features)."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def probability(self, row: Sequence[float]) -> float:
        """Return the probability for one row of features, in (0, 1)."""
        total = self.intercept + sum(weight * value for weight, value in zip(self.weights, row, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


@dataclass(frozen=True, slots=True)
class Calibration:
    """The two fitted models."""

    sentence: LogisticModel
    confidence: LogisticModel


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence and how likely it states the answer, seen alone."""

    sentence: Sentence
    score: float


def rank_sentences(sentences: Sequence[Sentence], calibration: Calibration) -> list[Judged]:
    """Return the sentences by how likely each states the answer, best first."""
    judged = [Judged(sentence, calibration.sentence.probability(sentence.features.row())) for sentence in sentences]
    return sorted(judged, key=lambda one: (-one.score, one.sentence.chunk.document_id, one.sentence.span))


def judge(ranked: Sequence[Judged], calibration: Calibration) -> float:
    """Return the probability that the best sentences answer the question; 0 without evidence."""
    return calibration.confidence.probability(confidence_row(ranked)) if ranked else 0.0


def confidence_row(ranked: Sequence[Judged]) -> tuple[float, ...]:
    """Return the features of `judge`: what speaks for the best sentence, and how far it is ahead of the next.

    Few, and each with a plain meaning: with all of `Features` the fit was no better out of sample and harder to read.
    """
    best = ranked[0]
    second = ranked[1].score if len(ranked) > 1 else 0.0
    bounded = min(max(best.score, 1e-6), 1 - 1e-6)
    features = best.sentence.features
    return (math.log(bounded / (1 - bounded)), best.score - second, features.similarity, features.subject_coverage)


def confidence_names() -> tuple[str, ...]:
    """Return the names of the features of `judge`, in order."""
    return ("best_logit", "margin", "similarity", "subject_coverage")


@functools.lru_cache(maxsize=1)
def load_calibration() -> Calibration:
    """Return the shipped parameters.

    Raises:
        ValueError: They were fitted for other features than this version computes.
    """
    data = json.loads(files("bot").joinpath("calibration.json").read_text(encoding="utf-8"))
    return Calibration(_load(data["sentence"], feature_names()), _load(data["confidence"], confidence_names()))


def _load(data: dict[str, object], names: tuple[str, ...]) -> LogisticModel:
    weights = data["weights"]
    assert isinstance(weights, dict)
    if tuple(weights) != names:
        raise ValueError(f"calibration.json was fitted for {tuple(weights)}, not {names}: run `footnote eval fit`")
    return LogisticModel(names, tuple(float(weight) for weight in weights.values()), float(str(data["intercept"])))
