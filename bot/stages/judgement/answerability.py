"""Whether the evidence states the answer: one calibrated probability, by words alone or by a language model.

Logistic regressions fitted on public sets by `footnote eval fit` and `footnote eval fit-opinion`. Their parameters are
in `calibration.json`, with provenance: `sentence` ranks sentences by words and vectors; `confidence` says how likely an
answer is right when nothing else is known; `glance` once a language model has read the excerpts; `opinion` once it has
also written an answer.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from importlib.resources import files

from bot.language_model.session import ModelSession
from bot.stages.evidence.excerpts import Excerpt, choose_excerpts, widen
from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import feature_names
from bot.stages.judgement.prompt import AnswerPrompt
from bot.stages.logistic import LogisticModel, logit

# Log-odds above which no more is shown: two to one. A second reading takes as long as the first.
_CONVINCED = 0.75


@dataclass(frozen=True, slots=True)
class Calibration:
    """The fitted models."""

    sentence: LogisticModel
    confidence: LogisticModel
    glance: LogisticModel
    opinion: LogisticModel


@dataclass(frozen=True, slots=True)
class ExcerptFeatures:
    """What is known when a language model has read the excerpts.

    Few, because more did not carry over: fitted on all sets but one, coverage, similarity and the words' own judgement
    made the set left out no better (docs/quality.md).

    Attributes:
        log_odds: Its log-odds that they state the answer, the better of two where it was shown more.
        is_wide: 1 when the first excerpts did not convince it and it was shown more, else 0.
    """

    log_odds: float
    is_wide: float


@dataclass(frozen=True, slots=True)
class AnswerFeatures:
    """What is known when the model has also written an answer.

    Attributes:
        departs: 1 when a number, date, negation or comparison of the question stands in no excerpt that the answer
            names, else 0.
        answers_type: 1 when the answer holds the kind of thing asked for, 0 when not, 0.5 when no kind is expected.
    """

    departs: float
    answers_type: float


@dataclass(frozen=True, slots=True)
class Judgement:
    """How likely the evidence answers the question.

    Attributes:
        confidence: Probability that an answer from it is right.
        excerpts: What the language model was shown; empty where words judged alone.
        features: What the language model made of them; None where words judged alone.
    """

    confidence: float
    excerpts: tuple[Excerpt, ...] = ()
    features: ExcerptFeatures | None = None


def judge_by_words(ranked: Sequence[ScoredSentence], calibration: Calibration) -> Judgement:
    """Return how likely the best sentences answer the question; 0 without evidence."""
    return Judgement(calibration.confidence.probability(confidence_row(ranked)) if ranked else 0.0)


def judge_with_model(
    session: ModelSession, question: str, ranked: Sequence[ScoredSentence], calibration: Calibration
) -> Judgement:
    """Return how likely the best sentences answer the question, read by a language model.

    It reads a few excerpts, and more of them where these do not convince it.

    Args:
        session: The model.
        question: Standing alone, in the language of the excerpts.
        ranked: Sentences of evidence, best first; at least one.
        calibration: Parameters of the judge.

    Raises:
        ModelUnavailableError: The model cannot be used.
        CancelledError: The reader left.
    """
    excerpts, is_wide = choose_excerpts(ranked), False
    log_odds = AnswerPrompt(session, excerpts, question).log_odds()
    if log_odds < _CONVINCED and len(wide := widen(excerpts, ranked)) > len(excerpts):
        excerpts, is_wide = wide, True
        log_odds = max(log_odds, AnswerPrompt(session, excerpts, question).log_odds())
    features = ExcerptFeatures(log_odds, float(is_wide))
    return Judgement(calibration.glance.probability(excerpt_row(features)), excerpts, features)


def confidence_row(ranked: Sequence[ScoredSentence]) -> tuple[float, ...]:
    """Return the features of `Calibration.confidence`: those of the best sentence, and its lead over the next.

    Few, and each with a plain meaning: with all features of a sentence the fit was no better out of sample.
    """
    best = ranked[0]
    second = ranked[1].score if len(ranked) > 1 else 0.0
    features = best.sentence.features
    return (logit(best.score), best.score - second, features.similarity, features.subject_coverage)


def confidence_names() -> tuple[str, ...]:
    """Return the names of the features of `Calibration.confidence`, in order."""
    return ("best_logit", "margin", "similarity", "subject_coverage")


def excerpt_row(features: ExcerptFeatures) -> tuple[float, ...]:
    """Return the features of `Calibration.glance`."""
    return astuple(features)


def excerpt_names() -> tuple[str, ...]:
    """Return the names of the features of `Calibration.glance`, in order."""
    return ("states", "is_wide")


def answer_row(read: ExcerptFeatures, written: AnswerFeatures) -> tuple[float, ...]:
    """Return the features of `Calibration.opinion`."""
    return (*astuple(read), *astuple(written))


def answer_names() -> tuple[str, ...]:
    """Return the names of the features of `Calibration.opinion`, in order."""
    return (*excerpt_names(), *(field.name for field in fields(AnswerFeatures)))


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
        glance=_load(data["glance"], excerpt_names()),
        opinion=_load(data["opinion"], answer_names()),
    )


def _load(data: dict[str, object], names: tuple[str, ...]) -> LogisticModel:
    weights = data["weights"]
    assert isinstance(weights, dict)
    if tuple(weights) != names:
        raise ValueError(f"calibration.json was fitted for {tuple(weights)}, not {names}: run `footnote eval fit`")
    return LogisticModel(names, tuple(float(weight) for weight in weights.values()), float(str(data["intercept"])))
