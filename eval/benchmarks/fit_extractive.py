"""Fits the judgement without a language model on public sets: which sentences state the answer, and how sure to be.

Every set weighs the same, whatever its size. The questions of each set are also asked of the next set's documents,
where nothing answers them. Figures are out of sample: five folds, all sentences of a question in one of them.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence, Set
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import expit
from sklearn.model_selection import GroupKFold

from bot.chatbot import Chatbot
from bot.stages.evidence.excerpts import excerpt_of
from bot.stages.evidence.ranking import rank_sentences
from bot.stages.evidence.selection import Sentence, feature_names
from bot.stages.judgement.answerability import confidence_names, confidence_row
from bot.stages.logistic import LogisticModel
from bot.stages.writing.quotes import choose_sentences
from eval.benchmarks.sets.public_set import CorpusQueries, Query, read_rows
from eval.benchmarks.sets.set_measures import answer_words, contains
from eval.measures.confidence import auroc, calibration_error

Floats = NDArray[np.float64]
Labels = NDArray[np.bool_]

_FOLDS = 5
_REGULARISATION = 1.0
_YES_NO = frozenset(("yes", "no"))
_GOLD_SHARE = 0.7
_LONG_ANSWER = 4  # words; a longer one may be stated in other words


@dataclass(frozen=True, slots=True)
class SentencesExample:
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
class ConfidenceFigures:
    """How well confidence tells right from wrong on one set, out of sample."""

    group: str
    questions: int
    answered: int
    auroc: float
    calibration_error: float


def split_by_title(dataset: CorpusQueries, folder: Path, count: int) -> Iterator[CorpusQueries]:
    """Yield small sets, each of the documents that share one title, the titles with most questions first.

    A judge that has only seen large collections is wrong about a folder of one document. Each small corpus is written
    to a file below `folder`.
    """
    rows = read_rows(dataset.corpus)
    titles = {row["_id"]: row.get("title", "") for row in rows}
    by_title: dict[str, list[Query]] = {}
    for query in dataset.queries:
        if titles.get(query.source):
            by_title.setdefault(titles[query.source], []).append(query)
    for number, title in enumerate(sorted(by_title, key=lambda title: (-len(by_title[title]), title))[:count]):
        corpus = folder / f"{dataset.name}-{number}" / "corpus.jsonl"
        corpus.parent.mkdir(parents=True, exist_ok=True)
        lines = (json.dumps(row, ensure_ascii=False) for row in rows if row.get("title", "") == title)
        corpus.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
        yield CorpusQueries(f"{dataset.name}-small", corpus, tuple(by_title[title]))


def unanswerable_queries(other: CorpusQueries, count: int) -> list[Query]:
    """Return questions of another set, which nothing answers here."""
    return [replace(query, answerable=False, relevant=frozenset()) for query in other.queries[:count]]


def collect_examples(
    group: str, chatbot: Chatbot, queries: Sequence[Query], advance: Callable[[], None]
) -> Iterator[SentencesExample]:
    """Yield the examples of a set; questions whose answer cannot be checked by its words are left out."""
    for query in queries:
        advance()
        checkable = query.gold_sentences or any(answer.casefold() not in _YES_NO for answer in query.answers)
        if query.answerable and not checkable:
            continue
        sentences = tuple(one.sentence for one in chatbot.examine(query.question, query.history).ranked)
        if sentences:
            shown = tuple(_states(query, one, excerpt_of(one).text) for one in sentences)
            yield SentencesExample(group, sentences, shown, tuple(_states(query, one, one.text) for one in sentences))


def _states(query: Query, sentence: Sentence, text: str) -> bool:
    if not query.answerable or sentence.chunk.document_id not in query.relevant:
        return False
    words = answer_words(text)
    if query.gold_sentences:
        return any(_shared(answer_words(gold), words) >= _GOLD_SHARE for gold in query.gold_sentences)
    return any(
        contains(words, gold) or (len(gold) > _LONG_ANSWER and _shared(gold, words) >= _GOLD_SHARE)
        for gold in map(answer_words, query.answers)
    )


def _shared(gold: Sequence[str], words: Sequence[str]) -> float:
    return sum(word in words for word in gold) / len(gold) if gold else 0.0


def fit_judge(examples: Sequence[SentencesExample]) -> tuple[dict[str, LogisticModel], list[ConfidenceFigures]]:
    """Return the models `sentence` and `confidence`, and their figures out of sample."""
    sentence_model = _fit_sentences(examples)
    scores = np.zeros(len(examples))
    labels = np.zeros(len(examples), dtype=bool)
    for train, test in GroupKFold(_FOLDS).split(examples, groups=np.arange(len(examples))):
        some = [examples[index] for index in train]
        ranker = _fit_sentences(some)
        confidence = _fit_confidence(some, ranker)
        for index in test:
            row, labels[index] = _confidence_row(examples[index], ranker)
            scores[index] = confidence.probability(row)
    models = {"sentence": sentence_model, "confidence": _fit_confidence(examples, sentence_model)}
    groups = np.array([example.group for example in examples])
    figures = [
        ConfidenceFigures(
            group=str(group),
            questions=int(chosen.sum()),
            answered=int(labels[chosen].sum()),
            auroc=auroc_or_nan(labels[chosen], scores[chosen]),
            calibration_error=round(calibration_error(np.column_stack([scores[chosen], labels[chosen]])), 4),
        )
        for group in sorted(set(groups))
        for chosen in [groups == group]
    ]
    return models, figures


def _fit_sentences(examples: Sequence[SentencesExample]) -> LogisticModel:
    useful = [example for example in examples if any(example.states)]
    rows = [sentence.features.row() for example in useful for sentence in example.sentences]
    labels = [states for example in useful for states in example.states]
    weights = _group_weights(examples)
    row_weights = [weights[example.group] for example in useful for _ in example.states]
    return fit_logistic(feature_names(), np.array(rows), np.array(labels), np.array(row_weights))


def _fit_confidence(examples: Sequence[SentencesExample], ranker: LogisticModel) -> LogisticModel:
    weights = _group_weights(examples)
    rows, labels = zip(*(_confidence_row(example, ranker) for example in examples), strict=True)
    row_weights = [weights[example.group] for example in examples]
    return fit_logistic(confidence_names(), np.array(rows), np.array(labels), np.array(row_weights))


def _confidence_row(example: SentencesExample, ranker: LogisticModel) -> tuple[tuple[float, ...], bool]:
    """Return the features of an example, and whether the sentences that would be quoted state the answer."""
    ranked = rank_sentences(example.sentences, ranker)
    right = {sentence.span for sentence, states in zip(example.sentences, example.alone, strict=True) if states}
    return confidence_row(ranked), any(one.sentence.span in right for one in choose_sentences(ranked))


def _group_weights(examples: Sequence[SentencesExample]) -> dict[str, float]:
    groups = [example.group for example in examples]
    return {group: 1 / groups.count(group) for group in set(groups)}


def describe_judge(
    models: dict[str, LogisticModel], figures: Sequence[ConfidenceFigures], limit: int, embedding_model: str
) -> dict[str, object]:
    """Return what goes into `calibration.json`: parameters, and how they came about."""
    return {
        **{name: describe_model(model) for name, model in models.items()},
        "provenance": {
            "made_by": f"footnote eval fit, at most {limit} questions of each set",
            "embedding_model": embedding_model,
            "out_of_sample": [asdict(one) for one in figures],
        },
    }


def describe_model(model: LogisticModel) -> dict[str, object]:
    """Return the parameters as `calibration.json` holds them."""
    return {"weights": dict(zip(model.features, model.weights, strict=True)), "intercept": model.intercept}


def fit_logistic(
    names: tuple[str, ...], rows: Floats, labels: Labels, weights: Floats, negative: Set[str] | None = None
) -> LogisticModel:
    """Return a logistic regression over named features, weakly regularised on their scaled values.

    Args:
        names: Of the features.
        rows: A row of features for each example.
        labels: What is predicted.
        weights: How much each example counts.
        negative: Features whose weight is at most 0; the weights of all others are at least 0 then. None allows both.
    """
    scale = rows.std(axis=0) + 1e-9
    scaled = np.column_stack([rows / scale, np.ones(len(rows))])
    shares = weights / weights.mean()
    signs = np.where(labels, 1.0, -1.0)

    def loss(parameters: Floats) -> tuple[float, Floats]:
        margins = signs * (scaled @ parameters)
        penalty = np.append(parameters[:-1], 0.0)
        gradient = -(scaled * (shares * signs * expit(-margins))[:, None]).sum(axis=0) + _REGULARISATION * penalty
        return float((shares * np.logaddexp(0, -margins)).sum() + _REGULARISATION * (penalty**2).sum() / 2), gradient

    bounds = None
    if negative is not None:
        bounds = [*((None, 0.0) if name in negative else (0.0, None) for name in names), (None, None)]
    found = minimize(loss, np.zeros(len(names) + 1), jac=True, method="L-BFGS-B", bounds=bounds)
    coefficients = [round(float(weight), 4) for weight in found.x[:-1] / scale]
    return LogisticModel(names, tuple(coefficients), round(float(found.x[-1]), 4))


def auroc_or_nan(labels: Labels, scores: Floats) -> float:
    """Return the AUROC of scores, not a number where all labels are equal."""
    both = 0 < labels.sum() < len(labels)
    return round(auroc(scores[labels], scores[~labels]), 4) if both else float("nan")
