"""Whether the evidence states the answer: one calibrated probability, and which sentences carry it.

Logistic regressions fitted on public sets by `footnote eval fit`; their parameters are `calibration.json`, with
provenance. `sentence` ranks sentences by their words and vectors. How likely the answer is right is said by
`confidence` when only these are known, by `glance` once a language model has looked at the excerpts, and by `opinion`
once it has written an answer and looked at that.
"""

from __future__ import annotations

import functools
import json
import math
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from importlib.resources import files

from bot.stages.evidence.sentences import Sentence, feature_names


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
    """The fitted models."""

    sentence: LogisticModel
    confidence: LogisticModel
    glance: LogisticModel
    opinion: LogisticModel


@dataclass(frozen=True, slots=True)
class Judged:
    """A sentence and how likely it states the answer, seen alone."""

    sentence: Sentence
    score: float


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known when a language model has looked at the excerpts.

    Few, because more did not carry over: fitted on all sets but one, coverage, similarity and the words' own judgement
    made the set left out no better (docs/quality.md).

    Attributes:
        states: Its log-odds that they state the answer, the better of two where it was shown more.
        is_wide: 1 when the first excerpts did not convince it and it was shown more, else 0.
    """

    states: float
    is_wide: float


@dataclass(frozen=True, slots=True)
class Opinion:
    """What is known when the model has also written an answer.

    Attributes:
        departs: 1 when a number, date, negation or comparison of the question stands in no excerpt that the answer
            names, else 0.
        answers_type: 1 when the answer holds the kind of thing asked for, 0 when not, 0.5 when no kind is expected.
    """

    departs: float
    answers_type: float


def rank_sentences(sentences: Sequence[Sentence], model: LogisticModel) -> list[Judged]:
    """Return the sentences by how likely each states the answer, best first; `model` is `Calibration.sentence`."""
    judged = [Judged(sentence, model.probability(sentence.features.row())) for sentence in sentences]
    return sorted(judged, key=lambda one: (-one.score, one.sentence.chunk.document_id, one.sentence.span))


def judge(ranked: Sequence[Judged], calibration: Calibration) -> float:
    """Return the probability that the best sentences answer the question; 0 without evidence."""
    return calibration.confidence.probability(confidence_row(ranked)) if ranked else 0.0


def judge_glance(glance: Glance, calibration: Calibration) -> float:
    """Return the probability that an answer written from the excerpts will be right."""
    return calibration.glance.probability(glance_row(glance))


def judge_opinion(glance: Glance, opinion: Opinion, calibration: Calibration) -> float:
    """Return the probability that the written answer is right."""
    return calibration.opinion.probability(opinion_row(glance, opinion))


def confidence_row(ranked: Sequence[Judged]) -> tuple[float, ...]:
    """Return the features of `judge`: what speaks for the best sentence, and how far it is ahead of the next.

    Few, and each with a plain meaning: with all of `Features` the fit was no better out of sample and harder to read.
    """
    best = ranked[0]
    second = ranked[1].score if len(ranked) > 1 else 0.0
    features = best.sentence.features
    return (logit(best.score), best.score - second, features.similarity, features.subject_coverage)


def confidence_names() -> tuple[str, ...]:
    """Return the names of the features of `judge`, in order."""
    return ("best_logit", "margin", "similarity", "subject_coverage")


def glance_row(glance: Glance) -> tuple[float, ...]:
    """Return the features of `judge_glance`."""
    return astuple(glance)


def glance_names() -> tuple[str, ...]:
    """Return the names of the features of `judge_glance`, in order."""
    return tuple(field.name for field in fields(Glance))


def opinion_row(glance: Glance, opinion: Opinion) -> tuple[float, ...]:
    """Return the features of `judge_opinion`."""
    return (*astuple(glance), *astuple(opinion))


def opinion_names() -> tuple[str, ...]:
    """Return the names of the features of `judge_opinion`, in order."""
    return (*glance_names(), *(field.name for field in fields(Opinion)))


def logit(probability: float) -> float:
    """Return the log-odds of a probability, bounded."""
    bounded = min(max(probability, 1e-6), 1 - 1e-6)
    return math.log(bounded / (1 - bounded))


@functools.lru_cache(maxsize=1)
def load_calibration() -> Calibration:
    """Return the shipped parameters.

    Raises:
        ValueError: They were fitted for other features than this version computes.
    """
    data = json.loads(files("bot.stages.judgement").joinpath("calibration.json").read_text(encoding="utf-8"))
    return Calibration(
        sentence=_load(data["sentence"], feature_names()),
        confidence=_load(data["confidence"], confidence_names()),
        glance=_load(data["glance"], glance_names()),
        opinion=_load(data["opinion"], opinion_names()),
    )


def _load(data: dict[str, object], names: tuple[str, ...]) -> LogisticModel:
    weights = data["weights"]
    assert isinstance(weights, dict)
    if tuple(weights) != names:
        raise ValueError(f"calibration.json was fitted for {tuple(weights)}, not {names}: run `footnote eval fit`")
    return LogisticModel(names, tuple(float(weight) for weight in weights.values()), float(str(data["intercept"])))
