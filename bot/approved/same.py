"""Whether two questions ask the same: ruled out by words, judged by two small logistic regressions.

Their parameters and thresholds are `same_question.json`, fitted by `footnote eval approved --fit` on articles that are
not reported. `model` is used where a language model gives its log-odds; while it is not fitted, `words` decides alone.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from bot.approved.likeness import likeness, likeness_names
from bot.consult import Consultation
from bot.judge import LogisticModel
from index.embedding.embedder import Embedder
from prompts.instructions import instruction

Consult = Callable[[Callable[[Consultation], float | None], float | None], float | None]
"""Returns what the model says to the first argument, or the second without one (`Inquiry.consult`)."""

# What a model is sure of beyond this says no more.
_MOST_ODDS = 12.0


@dataclass(frozen=True, slots=True)
class Sameness:
    """The fitted parameters.

    Attributes:
        words: Over the features of `Likeness`.
        model: Over these and the model's log-odds; None where it is not fitted, and no model is asked.
        words_threshold: Probability from which two questions are the same, without a model.
        model_threshold: The same with one.
    """

    words: LogisticModel
    model: LogisticModel | None
    words_threshold: float
    model_threshold: float

    def score(self, asked: str, approved: str, embedder: Embedder, consult: Consult) -> float:
        """Return by how much the probability that two questions are the same exceeds what is needed.

        Args:
            asked: Standing alone.
            approved: Standing alone.
            embedder: Compares them.
            consult: Asks the language model, where there is one.

        Returns:
            Below 0 for two that are not taken for the same.
        """
        found = likeness(asked, approved, embedder)
        if found is None:
            return -1.0
        if found.is_identical:
            return 1.0
        odds = consult(lambda model: same_odds(model, asked, approved), None) if self.model is not None else None
        if self.model is None or odds is None:
            return self.words.probability(found.row()) - self.words_threshold
        return self.model.probability((*found.row(), odds)) - self.model_threshold


def same_odds(consultation: Consultation, asked: str, approved: str) -> float:
    """Return the model's log-odds that two questions ask the same; errors as in `LanguageModel`."""
    system = instruction("same_question", "system")
    odds = consultation.log_odds(system, instruction("same_question", "pair", approved=approved, asked=asked))
    return max(-_MOST_ODDS, min(_MOST_ODDS, odds))


def model_names() -> tuple[str, ...]:
    """Return the names of the features of `Sameness.model`, in order."""
    return (*likeness_names(), "odds")


@functools.lru_cache(maxsize=1)
def load_sameness() -> Sameness:
    """Return the shipped parameters.

    Raises:
        ValueError: They were fitted for other features than this version computes.
    """
    return parse_sameness(files("bot.approved").joinpath("same_question.json").read_text(encoding="utf-8"))


def parse_sameness(source: str) -> Sameness:
    """Return parameters as they stand in a file; see `load_sameness`."""
    data = json.loads(source)
    words, words_threshold = _load(data["words"], likeness_names())
    if "model" not in data:
        return Sameness(words, None, words_threshold, 1.0)
    model, model_threshold = _load(data["model"], model_names())
    return Sameness(words, model, words_threshold, model_threshold)


def _load(part: dict[str, Any], names: tuple[str, ...]) -> tuple[LogisticModel, float]:
    if tuple(part["weights"]) != names:
        raise ValueError(f"same_question.json was fitted for {tuple(part['weights'])}, not {names}: fit it again")
    weights = tuple(map(float, part["weights"].values()))
    return LogisticModel(names, weights, float(part["intercept"])), float(part["threshold"])
