"""Words of short answers as the SQuAD script compares them, and what two answers share.

Whether an answer says what a set accepts.

What the retrieved documents of one question are worth: a document stands where its best chunk stands.

The same numbers as trec_eval gives (C. Buckley, `trec_eval`, through M. Macavaney et al., "ir_measures", 2022). Nothing
is scored without relevant documents.

What one stored answer is worth: each function scores one question, or says that it does not apply.
"""

from __future__ import annotations

import math
import string
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import regex

from eval.benchmarks.dataset import Query
from eval.benchmarks.sets.answers import StoredAnswer
from eval.benchmarks.sets.sets import Protocol
from eval.measures.correctness import without_markers
from index.text.words import fold_word

_ARTICLE = regex.compile(r"\b(a|an|the)\b")
_ASCII_PUNCTUATION = str.maketrans("", "", string.punctuation)
_HAN = regex.compile(r"\p{Han}")


def answer_words(text: str) -> list[str]:
    """Return the words of an answer: lower case, without punctuation and the articles a, an and the.

    P. Rajpurkar et al., "SQuAD" (2016), function `normalize_answer` of the evaluation script of version 1.1. In a
    text with Chinese characters each of them is a word, and all Unicode punctuation goes, as in P. Lewis et al.,
    "MLQA" (2020).
    """
    lowered = text.lower().translate(_ASCII_PUNCTUATION)
    if _HAN.search(lowered):
        lowered = _HAN.sub(r" \g<0> ", without_punctuation(lowered))
    return _ARTICLE.sub(" ", lowered).split()


def answer_stems(text: str) -> list[str]:
    """Return the words of an answer, each folded and stemmed as the index does it, all Unicode punctuation gone."""
    return [fold_word(word) for word in answer_words(without_punctuation(text))]


def without_punctuation(text: str) -> str:
    """Return text without the characters that Unicode counts as punctuation."""
    return "".join(character for character in text if not unicodedata.category(character).startswith("P"))


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


_ENOUGH = 0.5
_YES_NO = (["yes"], ["no"])


def is_right(protocol: Protocol, accepted: Sequence[str], text: str) -> bool:
    """Return whether the text, footnote markers removed, says one of the accepted answers.

    It does when the accepted answer stands in it word for word, or the two share half of their words (token F1 of at
    least .5). An accepted answer in parts stands in it when every part does. Where the protocol says so, "yes" and
    "no" must be the first word instead, because either stands in many sentences that say something else.
    """
    return any(_says(protocol, gold, text) for gold in accepted)


def _says(protocol: Protocol, gold: str, text: str) -> bool:
    words = answer_stems if protocol.compare == "stems" else answer_words
    said, wanted = words(text), words(gold)
    if protocol.yes_no and wanted in _YES_NO:
        return said[:1] == wanted
    parts = gold.split(protocol.parts) if protocol.parts else [gold]
    return all(contains(said, words(part)) for part in parts) or token_f1(said, wanted) >= _ENOUGH


def recall(outcome: Outcome, k: int) -> float | None:
    """Return the share of the relevant documents among the first `k`."""
    relevant = outcome.query.relevant
    return len(relevant.intersection(_documents(outcome)[:k])) / len(relevant) if relevant else None


def success(outcome: Outcome, k: int) -> float | None:
    """Return 1 when any of the first `k` documents is relevant, else 0."""
    relevant = outcome.query.relevant
    return float(not relevant.isdisjoint(_documents(outcome)[:k])) if relevant else None


def reciprocal_rank(outcome: Outcome) -> float | None:
    """Return 1 / rank of the first relevant document, 0 when none was retrieved."""
    relevant = outcome.query.relevant
    if not relevant:
        return None
    ranks = (rank for rank, document_id in enumerate(_documents(outcome), start=1) if document_id in relevant)
    return 1 / next(ranks, math.inf)


def ndcg(outcome: Outcome, k: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first `k` documents, in [0, 1].

    A document gains its grade, discounted by log2(rank + 1) (K. Järvelin and J. Kekäläinen, "Cumulated gain-based
    evaluation of IR techniques", 2002); the ideal list has all relevant documents, the highest grades first.
    """
    grades = {document_id: outcome.query.grades.get(document_id, 1.0) for document_id in outcome.query.relevant}
    if not grades:
        return None
    gained = (grades.get(document_id, 0.0) for document_id in _documents(outcome)[:k])
    return _discounted(gained) / _discounted(sorted(grades.values(), reverse=True)[:k])


def _documents(outcome: Outcome) -> list[str]:
    return list(dict.fromkeys(outcome.answer.retrieved))


def _discounted(gains: Iterable[float]) -> float:
    return sum(gain / math.log2(rank + 1) for rank, gain in enumerate(gains, start=1))


RETRIEVAL_MEASURES: dict[str, Measure] = {
    "success_at_5": partial(success, k=5),
    "recall_at_5": partial(recall, k=5),
    "recall_at_10": partial(recall, k=10),
    "reciprocal_rank": reciprocal_rank,
    "ndcg_at_10": partial(ndcg, k=10),
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """A question of a set with its stored answer. A crash is scored by nothing."""

    protocol: Protocol
    query: Query
    answer: StoredAnswer

    @property
    def is_checkable(self) -> bool:
        """Whether the set can tell a right answer to this question from a wrong one."""
        return self.protocol.compare != "none" and (not self.query.answerable or bool(self.query.answers))

    def says_right(self, text: str) -> bool:
        """Return whether a text would be a right answer."""
        return self.query.answerable and is_right(self.protocol, self.query.answers, without_markers(text))


Measure = Callable[[Outcome], float | None]


def right(outcome: Outcome) -> float | None:
    """Return 1 for a right answer and for the refusal of an unanswerable question, else 0."""
    if not outcome.is_checkable:
        return None
    if outcome.answer.refused:
        return float(not outcome.query.answerable)
    return float(outcome.says_right(outcome.answer.text))


def wrong(outcome: Outcome) -> float | None:
    """Return 1 for an answer that is not right, else 0. A refusal may be needless, but it is not wrong."""
    return float(not right(outcome) and not outcome.answer.refused) if outcome.is_checkable else None


def refused_answerable(outcome: Outcome) -> float | None:
    """Return 1 for the refusal of an answerable question, else 0: with `right` and `wrong` it adds up to 1."""
    return float(outcome.answer.refused and outcome.query.answerable) if outcome.is_checkable else None


def answerable_right(outcome: Outcome) -> float | None:
    """Return `right` of an answerable question; others are not scored."""
    return right(outcome) if outcome.query.answerable else None


def exact_match(outcome: Outcome) -> float | None:
    """Return 1 when the words of an answer are those of an accepted one.

    As the script of SQuAD 2.0 counts (P. Rajpurkar et al., 2018): a refusal is the empty answer, which is what an
    unanswerable question wants.
    """
    return _best(outcome, same_words)


def maximum_f1(outcome: Outcome) -> float | None:
    """Return the best token F1 of an answer with an accepted one, refusals counted as `exact_match` counts them."""
    return _best(outcome, token_f1)


def _best(outcome: Outcome, agreement: Callable[[list[str], list[str]], float]) -> float | None:
    if not outcome.is_checkable:
        return None
    said = [] if outcome.answer.refused else answer_words(without_markers(outcome.answer.text))
    accepted = outcome.query.answers if outcome.query.answerable else ("",)
    return max(agreement(said, answer_words(gold)) for gold in accepted)


def refusal_precision(outcome: Outcome) -> float | None:
    """Return, for a refused question, 1 when it is unanswerable, else 0."""
    return float(not outcome.query.answerable) if outcome.answer.refused else None


def refusal_recall(outcome: Outcome) -> float | None:
    """Return, for an unanswerable question, 1 when it was refused, else 0."""
    return None if outcome.query.answerable else float(outcome.answer.refused)


def false_answer_rate(outcome: Outcome) -> float | None:
    """Return, for an unanswerable question, 1 when it was answered, else 0."""
    return None if outcome.query.answerable else float(not outcome.answer.refused)


def false_refusal_rate(outcome: Outcome) -> float | None:
    """Return, for an answerable question, 1 when it was refused, else 0."""
    return float(outcome.answer.refused) if outcome.query.answerable else None


def quote_fidelity(outcome: Outcome) -> float | None:
    """Return 1 when every footnote equals the text that was stored at its place, else 0; the mean must be 1.

    The passages that a refusal shows count. Not scored without any.
    """
    shown = (*outcome.answer.citations, *outcome.answer.nearest)
    return float(all(one.stored == one.quote for one in shown)) if shown else None


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
