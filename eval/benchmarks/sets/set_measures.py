"""Measures of public sets, from questions and stored answers alone: scoring again asks nothing.

Each measure scores one question, or returns None where it does not apply. Retrieval is measured by documents: a
document stands where its best chunk stands, and the numbers are those of trec_eval (C. Buckley, `trec_eval`, through
S. MacAvaney et al., "Streamlining Evaluation with ir-measures", 2022).
"""

from __future__ import annotations

import math
import string
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import regex

from eval.benchmarks.sets.public_set import Query, SetProtocol
from eval.benchmarks.sets.stored_answer import StoredAnswer
from eval.measures.confidence import calibration_error, summarise_auroc
from eval.measures.correctness import false_refusal_rate, refusal_precision, refusal_recall, without_markers
from eval.measures.evidence_found import quote_fidelity, recall_at_k, reciprocal_rank, success_at_k
from eval.measures.interval import Metric, mean, summarise
from eval.measures.scoring import percentile
from eval.report.json_file import Record
from index.text.words import fold_word

_ARTICLE = regex.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_PUNCTUATION = regex.compile(r"\p{P}")
_HAN = regex.compile(r"\p{Han}")
_YES_NO = (["yes"], ["no"])
# Two answers that share so many of their words (token F1) say the same.
_ENOUGH = 0.5
_THRESHOLDS = tuple(tenth / 10 for tenth in range(1, 10))
_PERCENTILES = {"p50": 0.50, "p95": 0.95}


def answer_words(text: str) -> list[str]:
    """Return the words of an answer: lower case, without punctuation and the articles a, an and the.

    P. Rajpurkar et al., "SQuAD" (2016), function `normalize_answer` of the evaluation script of version 1.1. In a
    text with Chinese characters each of them is a word, and all Unicode punctuation goes, as in P. Lewis et al.,
    "MLQA" (2020).
    """
    lowered = text.lower().translate(_ASCII_PUNCTUATION)
    if _HAN.search(lowered):
        lowered = _HAN.sub(r" \g<0> ", _PUNCTUATION.sub("", lowered))
    return _ARTICLE.sub(" ", lowered).split()


def answer_stems(text: str) -> list[str]:
    """Return the words of an answer, each folded and stemmed as the index does it, all Unicode punctuation gone."""
    return [fold_word(word) for word in answer_words(_PUNCTUATION.sub("", text))]


def token_f1(said: Sequence[str], gold: Sequence[str]) -> float:
    """Return the F1 of the words that two answers share, in [0, 1]; two empty ones agree.

    Function `f1_score` of the SQuAD script; with its second version an empty answer shares something only with another.
    """
    if not said or not gold:
        return float(said == gold)
    shared = sum((Counter(said) & Counter(gold)).values())
    return 2 * shared / (len(said) + len(gold))


def same_words(said: Sequence[str], gold: Sequence[str]) -> float:
    """Return 1 when two answers have the same words in the same order, else 0: `exact_match_score` of that script."""
    return float(list(said) == list(gold))


def contains(said: Sequence[str], gold: Sequence[str]) -> bool:
    """Return whether the words of `gold` stand in `said`, side by side and in order."""
    width = len(gold)
    return width > 0 and any(said[start : start + width] == gold for start in range(len(said) - width + 1))


def is_right(protocol: SetProtocol, accepted: Sequence[str], text: str) -> bool:
    """Return whether the text, footnote markers removed, says one of the accepted answers.

    It does when the accepted answer stands in it word for word, or the two share half of their words (token F1 of at
    least .5). An accepted answer in parts stands in it when every part does. Where the protocol says so, "yes" and
    "no" must be the first word instead, because either stands in many sentences that say something else.
    """
    return any(_says(protocol, gold, text) for gold in accepted)


def _says(protocol: SetProtocol, gold: str, text: str) -> bool:
    words = answer_stems if protocol.compare == "stems" else answer_words
    said, wanted = words(text), words(gold)
    if protocol.yes_no and wanted in _YES_NO:
        return said[:1] == wanted
    parts = gold.split(protocol.parts) if protocol.parts else [gold]
    return all(contains(said, words(part)) for part in parts) or token_f1(said, wanted) >= _ENOUGH


@dataclass(frozen=True, slots=True)
class AnsweredQuery:
    """A question of a set with its stored answer. No measure scores a crash."""

    protocol: SetProtocol
    query: Query
    answer: StoredAnswer

    @property
    def refused(self) -> bool:
        """Whether there was no answer. Small talk is not a refusal, nor is a crash."""
        return self.answer.kind == "refusal"

    @property
    def answerable(self) -> bool:
        """Whether the documents hold an answer."""
        return self.query.answerable

    @property
    def is_checkable(self) -> bool:
        """Whether the set can tell a right answer to this question from a wrong one."""
        return self.protocol.compare != "none" and (not self.answerable or bool(self.query.answers))

    @property
    def confidence(self) -> float | None:
        """The confidence of a question that was judged: small talk and crashes were not."""
        return self.answer.confidence if self.answer.kind in {"answer", "refusal"} else None

    def says_right(self, text: str) -> bool:
        """Return whether a text would be a right answer."""
        return self.answerable and is_right(self.protocol, self.query.answers, without_markers(text))

    def documents(self) -> list[str]:
        """Return the ids of the retrieved documents, best first."""
        return list(dict.fromkeys(self.answer.retrieved))

    def first_ranks(self) -> list[float]:
        """Return the rank of each relevant document, infinite where it was not retrieved."""
        ranks = {document_id: rank for rank, document_id in enumerate(self.documents(), start=1)}
        return [ranks.get(document_id, math.inf) for document_id in self.query.relevant]

    def shown_quotes(self) -> list[tuple[str, str | None]]:
        """Return each quote that was shown, with the text that was stored at its place."""
        return [(one.quote, one.stored) for one in (*self.answer.citations, *self.answer.nearest)]


Measure = Callable[[AnsweredQuery], float | None]


def right(one: AnsweredQuery) -> float | None:
    """Return 1 for a right answer and for the refusal of an unanswerable question, else 0."""
    if not one.is_checkable:
        return None
    return float(not one.answerable if one.refused else one.says_right(one.answer.text))


def wrong(one: AnsweredQuery) -> float | None:
    """Return 1 for an answer that is not right, else 0. A refusal may be needless, but it is not wrong."""
    return float(not right(one) and not one.refused) if one.is_checkable else None


def refused_answerable(one: AnsweredQuery) -> float | None:
    """Return 1 for the refusal of an answerable question, else 0: with `right` and `wrong` it adds up to 1."""
    return float(one.refused and one.answerable) if one.is_checkable else None


def answerable_right(one: AnsweredQuery) -> float | None:
    """Return `right` of an answerable question; others are not scored."""
    return right(one) if one.answerable else None


def exact_match(one: AnsweredQuery) -> float | None:
    """Return 1 when the words of an answer are those of an accepted one.

    As the script of SQuAD 2.0 counts (P. Rajpurkar et al., 2018): a refusal is the empty answer, which is what an
    unanswerable question wants.
    """
    return _best(one, same_words)


def maximum_f1(one: AnsweredQuery) -> float | None:
    """Return the best token F1 of an answer with an accepted one, refusals counted as `exact_match` counts them."""
    return _best(one, token_f1)


def _best(one: AnsweredQuery, agreement: Callable[[list[str], list[str]], float]) -> float | None:
    if not one.is_checkable:
        return None
    said = [] if one.refused else answer_words(without_markers(one.answer.text))
    accepted = one.query.answers if one.answerable else ("",)
    return max(agreement(said, answer_words(gold)) for gold in accepted)


def false_answer_rate(one: AnsweredQuery) -> float | None:
    """Return, for an unanswerable question, 1 when it was answered, else 0."""
    return None if one.answerable else float(not one.refused)


def graded_ndcg_at_k(one: AnsweredQuery, k: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first `k` documents, in [0, 1].

    A document gains its grade, discounted by log2(rank + 1) (K. Järvelin and J. Kekäläinen, "Cumulated gain-based
    evaluation of IR techniques", 2002); the ideal list has all relevant documents, the highest grades first.
    """
    grades = {document_id: one.query.grades.get(document_id, 1.0) for document_id in one.query.relevant}
    if not grades:
        return None
    gained = (grades.get(document_id, 0.0) for document_id in one.documents()[:k])
    return _discounted(gained) / _discounted(sorted(grades.values(), reverse=True)[:k])


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


ANSWER_MEASURES: dict[str, Measure] = {
    function.__name__: function
    for function in (
        right,
        wrong,
        refused_answerable,
        answerable_right,
        exact_match,
        maximum_f1,
        refusal_precision,
        refusal_recall,
        false_answer_rate,
        false_refusal_rate,
        quote_fidelity,
    )
}
RETRIEVAL_MEASURES: dict[str, Measure] = {
    "success_at_5": partial(success_at_k, k=5),
    "recall_at_5": partial(recall_at_k, k=5),
    "recall_at_10": partial(recall_at_k, k=10),
    "reciprocal_rank": reciprocal_rank,
    "ndcg_at_10": partial(graded_ndcg_at_k, k=10),
}


def summarise_answers(answered: Sequence[AnsweredQuery]) -> dict[str, Metric]:
    """Return every measure with n, how many questions it does not apply to, and a 95% interval.

    A crash counts in none, and so among the unscored of each; a search alone counts in those of retrieval.
    """
    whole = [None if one.answer.kind == "crash" else one for one in answered]
    replies = [None if one is None or one.answer.kind == "search" else one for one in whole]
    return {
        **_means(ANSWER_MEASURES, replies),
        **_means(RETRIEVAL_MEASURES, whole),
        **_confidence_metrics(answered),
        **_latencies(answered),
    }


def _means(measures: Mapping[str, Measure], answered: Sequence[AnsweredQuery | None]) -> dict[str, Metric]:
    return {
        name: summarise([None if one is None else measure(one) for one in answered], mean)
        for name, measure in measures.items()
    }


def _confidence_metrics(answered: Sequence[AnsweredQuery]) -> dict[str, Metric]:
    """Return how well confidence tells the answerable from the rest, and its calibration error.

    `calibration_error` is over the answers that were shown, `calibration_error_all` over all questions.
    """
    scored = [None if one.confidence is None else (one.confidence, one.answerable) for one in answered]
    pairs = [None if one.confidence is None else (one.confidence, _came_true(one)) for one in answered]
    shown = [pair if one.answer.kind == "answer" else None for one, pair in zip(answered, pairs, strict=True)]
    return {
        "auroc_answerable": summarise_auroc(scored),
        "calibration_error": summarise(shown, calibration_error),
        "calibration_error_all": summarise(pairs, calibration_error),
    }


def _came_true(one: AnsweredQuery) -> float:
    """Return 1 when what a confidence stands for came true, else 0.

    It stands for "the documents answer this, and what I would show says so". Of a refusal, what would have been shown
    is the passages that it gives as nearest. Where a set cannot check answers, only the first half is looked at.
    """
    if not one.is_checkable:
        return float(one.answerable)
    nearest = " ".join(passage.quote for passage in one.answer.nearest)
    return float(one.says_right(nearest if one.refused else one.answer.text))


def _latencies(answered: Sequence[AnsweredQuery]) -> dict[str, Metric]:
    """Return percentiles of the whole time and of each stage, in milliseconds, over the questions that reached it."""
    timings = [one.answer.timings_ms for one in answered]
    stages = dict.fromkeys(("total", *(stage for timing in timings for stage in timing)))
    return {
        f"{'latency' if stage == 'total' else stage}_{name}_ms": summarise(
            [timing.get(stage) for timing in timings], partial(percentile, share=share)
        )
        for stage in stages
        for name, share in _PERCENTILES.items()
    }


class ThresholdRow(Record):
    """What a refusal threshold would do, as far as the confidences alone decide.

    Attributes:
        false_answer_rate: Share of the unanswerable questions whose confidence reaches the threshold.
        false_refusal_rate: Share of the answerable ones whose confidence does not.
    """

    threshold: float
    false_answer_rate: Metric
    false_refusal_rate: Metric


def threshold_table(answered: Sequence[AnsweredQuery]) -> tuple[ThresholdRow, ...]:
    """Return a row for each tenth; nothing where no answer has a confidence."""
    scored = [(one.confidence, one.answerable) for one in answered if one.confidence is not None]
    if not scored:
        return ()
    answerable = [confidence for confidence, is_answerable in scored if is_answerable]
    unanswerable = [confidence for confidence, is_answerable in scored if not is_answerable]
    return tuple(
        ThresholdRow(
            threshold=threshold,
            false_answer_rate=summarise([float(confidence >= threshold) for confidence in unanswerable], mean),
            false_refusal_rate=summarise([float(confidence < threshold) for confidence in answerable], mean),
        )
        for threshold in _THRESHOLDS
    )
