"""Fits when two questions are taken for the same, on articles that are not reported."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.approved.likeness import likeness, likeness_names
from bot.approved.same import model_names, same_odds
from bot.consult import Consultation
from bot.judge import LogisticModel
from eval.approved.pairs import Pair
from eval.fit import describe_model, fit_logistic
from index.embedding.embedder import Embedder

# Near misses, half of them other questions of the article, that may be taken for the same.
_WRONG = 0.01
# What readers write and ask, against what rules make of it: as heavy as their share in the figure.
_REAL = ("written", "neighbour")


def fit_sameness(
    pairs: Sequence[Pair], embedder: Embedder, consultation: Consultation | None, advance: Callable[[], None]
) -> dict[str, dict[str, object]]:
    """Return the parameters as `same_question.json` holds them; those with a model only where one is given."""
    rows: list[tuple[float, ...]] = []
    odds: list[float] = []
    kept: list[Pair] = []
    for pair in pairs:
        found = likeness(pair.asked, pair.approved, embedder)
        if found is not None:
            kept.append(pair)
            rows.append(found.row())
            if consultation is not None:
                odds.append(same_odds(consultation, pair.asked, pair.approved))
        advance()
    fitted = {"words": _fit(likeness_names(), np.array(rows), kept, pairs)}
    if consultation is not None:
        fitted["model"] = _fit(model_names(), np.column_stack([rows, odds]), kept, pairs)
    return fitted


def _fit(
    names: tuple[str, ...], rows: NDArray[np.float64], kept: Sequence[Pair], pairs: Sequence[Pair]
) -> dict[str, object]:
    labels = np.array([pair.same for pair in kept])
    kinds = [pair.kind for pair in kept]
    weights = np.array([(3.0 if kind in _REAL else 1.0) for kind in kinds])
    model = fit_logistic(names, rows, labels, weights)
    return {**describe_model(model), "threshold": _threshold(model, rows, kept, pairs)}


def _threshold(model: LogisticModel, rows: NDArray[np.float64], kept: Sequence[Pair], pairs: Sequence[Pair]) -> float:
    """Return the lowest probability from which few enough near misses are taken for the same."""
    near = [pair for pair in pairs if not pair.same]
    counts = {real: sum((pair.kind == "neighbour") is real for pair in near) for real in (True, False)}
    scored = sorted(
        (
            (model.probability(list(row)), 0.5 / max(counts[pair.kind == "neighbour"], 1))
            for row, pair in zip(rows, kept, strict=True)
            if not pair.same
        ),
        reverse=True,
    )
    wrong = 0.0
    for probability, share in scored:
        wrong += share
        if wrong > _WRONG:
            return round(min(probability + 0.0001, 0.9999), 4)
    return 0.5
