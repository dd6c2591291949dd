"""Logistic regression over named features, as the judges of several stages use it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LogisticModel:
    """A fitted logistic regression: probability = sigmoid(intercept + weights · features)."""

    features: tuple[str, ...]
    weights: tuple[float, ...]
    intercept: float

    def probability(self, row: Sequence[float]) -> float:
        """Return the probability for one row of features, in (0, 1)."""
        total = self.intercept + sum(weight * value for weight, value in zip(self.weights, row, strict=True))
        return 1 / (1 + math.exp(-max(-30.0, min(30.0, total))))


def logit(probability: float) -> float:
    """Return the log-odds of a probability, bounded to ±13.8."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))
