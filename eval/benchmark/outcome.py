"""What one stored answer is worth: each function scores one question, or says that it does not apply."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from eval.benchmark.protocol import Protocol
from eval.benchmark.record import StoredAnswer
from eval.benchmark.right import is_right
from eval.benchmark.wording import answer_words, same_words, token_f1
from eval.dataset import Query
from eval.wording import without_markers


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
