"""Fits the judge on public sets: which sentences state the answer, and how sure to be.

Every set weighs the same, whatever its size. The questions of each set are also asked of the next set's documents,
where nothing answers them. Figures are out of sample: five folds, all sentences of a question in one of them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import GroupKFold

from bot.chatbot import Chatbot
from bot.stages.evidence.excerpts import excerpt_of
from bot.stages.evidence.ranking import ScoredSentence, rank_sentences
from bot.stages.evidence.selection import Sentence, feature_names
from bot.stages.judgement.answerability import confidence_names, confidence_row
from bot.stages.logistic import LogisticModel
from bot.stages.writing.quotes import choose_sentences
from eval.benchmarks.dataset import Query
from eval.measures.confidence import calibration_error

_FOLDS = 5
_WORD = re.compile(r"[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff]")
_YES_NO = frozenset(("yes", "no"))
_GOLD_SHARE = 0.7


@dataclass(frozen=True, slots=True)
class Example:
    """One question asked of one set of documents.

    Attributes:
        sentences: What was found.
        states: For each, whether what is shown of it, its line where that is short, states the answer.
        alone: For each, whether it does so without its line: what a quote of it says.
    """

    group: str
    sentences: tuple[Sentence, ...]
    states: tuple[bool, ...]
    alone: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class GroupFigures:
    """How the judge does on one set, out of sample."""

    group: str
    questions: int
    answered: int
    auroc: float
    calibration_error: float


def collect(group: str, chatbot: Chatbot, queries: Sequence[Query], advance: Callable[[], None]) -> Iterator[Example]:
    """Yield the examples of a set; questions whose answer cannot be checked by its words are left out."""
    for query in queries:
        advance()
        if query.answerable and not _checkable(query):
            continue
        sentences = tuple(one.sentence for one in chatbot.examine(query.question, query.history).ranked)
        if sentences:
            shown = tuple(_states(query, one, excerpt_of(one).text) for one in sentences)
            yield Example(group, sentences, shown, tuple(_states(query, one, one.text) for one in sentences))


def fit_judge(examples: Sequence[Example]) -> tuple[dict[str, LogisticModel], list[GroupFigures]]:
    """Return the models `sentence` and `confidence`, and their figures out of sample."""
    sentence_model = _fit_sentences(examples)
    out_of_fold = np.zeros(len(examples))
    labels = np.zeros(len(examples), dtype=bool)
    for train, test in GroupKFold(_FOLDS).split(examples, groups=np.arange(len(examples))):
        some = [examples[index] for index in train]
        ranker = _fit_sentences(some)
        confidence = _fit_confidence(some, ranker)
        for index in test:
            row, labels[index] = _judged_row(examples[index], ranker)
            out_of_fold[index] = confidence.probability(row)
    models = {"sentence": sentence_model, "confidence": _fit_confidence(examples, sentence_model)}
    return models, list(_figures(examples, out_of_fold, labels))


def describe_judge(models: dict[str, LogisticModel], figures: Sequence[GroupFigures], limit: int) -> dict[str, object]:
    """Return what goes into `calibration.json`: parameters, and how they came about."""
    return {
        **{name: describe_model(model) for name, model in models.items()},
        "provenance": {
            "made_by": f"footnote eval fit, at most {limit} questions of each set",
            "embedding_model": "all-MiniLM-L6-v2",
            "out_of_sample": [asdict(one) for one in figures],
        },
    }


def describe_model(model: LogisticModel) -> dict[str, object]:
    """Return the parameters as `calibration.json` holds them."""
    return {"weights": dict(zip(model.features, model.weights, strict=True)), "intercept": model.intercept}


def _checkable(query: Query) -> bool:
    return bool(query.gold_sentences) or any(answer.casefold() not in _YES_NO for answer in query.answers)


def _states(query: Query, sentence: Sentence, text: str) -> bool:
    if not query.answerable or sentence.chunk.document_id not in query.relevant:
        return False
    words = _tokens(text)
    if query.gold_sentences:
        return any(_shared(_tokens(gold), words) >= _GOLD_SHARE for gold in query.gold_sentences)
    joined = f" {' '.join(words)} "
    for answer in query.answers:
        tokens = _tokens(answer)
        if tokens and (
            f" {' '.join(tokens)} " in joined or (len(tokens) > 4 and _shared(tokens, words) >= _GOLD_SHARE)
        ):
            return True
    return False


def _tokens(text: str) -> list[str]:
    spaced = _HAN.sub(r" \g<0> ", unicodedata.normalize("NFKC", text).casefold())
    return [word for word in _WORD.findall(spaced) if word not in ("a", "an", "the")]


def _shared(gold: Sequence[str], words: Sequence[str]) -> float:
    present = set(words)
    return sum(word in present for word in gold) / len(gold) if gold else 0.0


def _fit_sentences(examples: Sequence[Example]) -> LogisticModel:
    weights = _group_weights(examples)
    rows: list[tuple[float, ...]] = []
    labels: list[bool] = []
    row_weights: list[float] = []
    for example in examples:
        if any(example.states):
            rows += [sentence.features.row() for sentence in example.sentences]
            labels += example.states
            row_weights += [weights[example.group]] * len(example.states)
    return fit_logistic(feature_names(), np.array(rows), np.array(labels), np.array(row_weights))


def _fit_confidence(examples: Sequence[Example], ranker: LogisticModel) -> LogisticModel:
    weights = _group_weights(examples)
    pairs = [_judged_row(example, ranker) for example in examples]
    return fit_logistic(
        confidence_names(),
        np.array([row for row, _ in pairs]),
        np.array([label for _, label in pairs]),
        np.array([weights[example.group] for example in examples]),
    )


def _judged_row(example: Example, ranker: LogisticModel) -> tuple[tuple[float, ...], bool]:
    """Return what the judge sees of an example, and whether the sentences that would be quoted state the answer."""
    ranked: list[ScoredSentence] = rank_sentences(example.sentences, ranker)
    right = {sentence.span for sentence, states in zip(example.sentences, example.alone, strict=True) if states}
    quoted = choose_sentences(ranked)
    return confidence_row(ranked), any(one.sentence.span in right for one in quoted)


def _group_weights(examples: Sequence[Example]) -> dict[str, float]:
    groups = [example.group for example in examples]
    return {group: 1_000 / groups.count(group) for group in set(groups)}


def fit_logistic(
    names: tuple[str, ...], rows: NDArray[np.float64], labels: NDArray[np.bool_], weights: NDArray[np.float64]
) -> LogisticModel:
    """Return a logistic regression over named features, weakly regularised on their scaled values."""
    scale = rows.std(axis=0) + 1e-9
    model = LogisticRegression(C=1.0, max_iter=2_000)
    model.fit(rows / scale, labels, sample_weight=weights / weights.mean())
    coefficients = model.coef_[0] / scale
    return LogisticModel(names, tuple(round(float(c), 4) for c in coefficients), round(float(model.intercept_[0]), 4))


def _figures(
    examples: Sequence[Example], scores: NDArray[np.float64], labels: NDArray[np.bool_]
) -> Iterator[GroupFigures]:
    groups = np.array([example.group for example in examples])
    for group in sorted(set(groups)):
        chosen = groups == group
        both = 0 < labels[chosen].sum() < chosen.sum()
        yield GroupFigures(
            group=str(group),
            questions=int(chosen.sum()),
            answered=int(labels[chosen].sum()),
            auroc=round(float(roc_auc_score(labels[chosen], scores[chosen])), 4) if both else float("nan"),
            calibration_error=round(calibration_error(np.column_stack([scores[chosen], labels[chosen]])), 4),
        )
