"""Fits how far a language model is trusted: its look at the excerpts, and its look at the answer it wrote.

Every set weighs the same, whatever its size. Figures are out of sample, in five folds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import KFold

from bot.judge import LogisticModel, glance_names, opinion_names
from eval.fit import describe_model
from eval.measures.calibration import calibration_error
from eval.opinions import OpinionExample

_FOLDS = 5
_REGULARISATION = 1.0
# What speaks against an answer; everything else speaks for it. A weight of the other sign would be an accident of a few
# hundred examples, so none is allowed.
_AGAINST = frozenset(("is_wide", "departs"))


@dataclass(frozen=True, slots=True)
class OpinionFigures:
    """How a judge does on one set, out of sample.

    Attributes:
        auroc: Of the probability, for whether the question is answerable; not a number where all or none are.
        auroc_right: Of the probability, for whether the written answer is right.
        calibration_error: Expected calibration error against "right".
    """

    judge: str
    group: str
    questions: int
    answerable: int
    right: int
    auroc: float
    auroc_right: float
    calibration_error: float


def fit_opinion(examples: Sequence[OpinionExample]) -> tuple[dict[str, LogisticModel], list[OpinionFigures]]:
    """Return the models `glance` and `opinion`, and their figures out of sample."""
    models: dict[str, LogisticModel] = {}
    figures: list[OpinionFigures] = []
    for judge, names, usable in (
        ("glance", glance_names(), [one for one in examples if one.glance]),
        ("opinion", opinion_names(), [one for one in examples if one.opinion]),
    ):
        rows = np.array([one.glance if judge == "glance" else one.opinion for one in usable], dtype=float)
        labels = np.array([one.right for one in usable])
        groups = [one.group for one in usable]
        weights = np.array([1 / groups.count(group) for group in groups])
        scores = np.zeros(len(usable))
        for train, test in KFold(_FOLDS, shuffle=True, random_state=0).split(rows):
            model = _fit(names, rows[train], labels[train], weights[train])
            scores[test] = [model.probability(row) for row in rows[test]]
        models[judge] = _fit(names, rows, labels, weights)
        scored = list(zip(usable, scores, strict=True))
        figures += [
            _figures(judge, group, [pair for pair in scored if pair[0].group == group]) for group in sorted(set(groups))
        ]
    return models, figures


def _fit(
    names: tuple[str, ...], rows: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> LogisticModel:
    """Return a logistic regression, weakly regularised on scaled values, no weight of which has the wrong sign."""
    scale = rows.std(axis=0) + 1e-9
    scaled = np.column_stack([rows / scale, np.ones(len(rows))])
    shares = weights / weights.mean()
    signs = np.where(labels, 1.0, -1.0)

    def loss(parameters: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
        margins = signs * (scaled @ parameters)
        penalty = np.append(parameters[:-1], 0.0)
        gradient = -(scaled * (shares * signs * expit(-margins))[:, None]).sum(axis=0) + _REGULARISATION * penalty
        return float((shares * np.logaddexp(0, -margins)).sum() + _REGULARISATION * (penalty**2).sum() / 2), gradient

    bounds = [(None, 0.0) if name in _AGAINST else (0.0, None) for name in names]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", bounds=[*bounds, (None, None)])
    coefficients = [round(float(weight), 4) for weight in found.x[:-1] / scale]
    return LogisticModel(names, tuple(coefficients), round(float(found.x[-1]), 4))


def describe_fit(
    models: dict[str, LogisticModel], figures: Sequence[OpinionFigures], model_name: str
) -> dict[str, object]:
    """Return what goes into `calibration.json`: parameters, and how they came about."""
    return {
        **{judge: describe_model(model) for judge, model in models.items()},
        "opinion_provenance": {
            "made_by": "footnote eval fit-opinion",
            "language_model": model_name,
            "out_of_sample": [asdict(one) for one in figures],
        },
    }


def _figures(judge: str, group: str, scored: Sequence[tuple[OpinionExample, float]]) -> OpinionFigures:
    scores = np.array([score for _, score in scored])
    answerable = np.array([one.answerable for one, _ in scored])
    right = np.array([one.right for one, _ in scored])
    return OpinionFigures(
        judge=judge,
        group=group,
        questions=len(scored),
        answerable=int(answerable.sum()),
        right=int(right.sum()),
        auroc=_auroc(answerable, scores),
        auroc_right=_auroc(right, scores),
        calibration_error=round(calibration_error(np.column_stack([scores, right])), 4),
    )


def _auroc(labels: NDArray[np.bool_], scores: NDArray[np.float64]) -> float:
    both = 0 < labels.sum() < len(labels)
    return round(float(roc_auc_score(labels, scores)), 4) if both else float("nan")
