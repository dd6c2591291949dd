"""What a question takes for granted and the documents contradict: a number, a date, a negation, a direction.

Only what words can tell is named. A small model asked whether a text contradicts a question is no better than chance
(AUROC .43 and .47 for two prompts over the 21 unanswerable questions of a golden suite).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.question.answer_type import AnswerType, expected_type
from bot.stages.question.clean import asks_for_a_thing
from bot.text.comparisons import missing_directions, read_comparisons
from bot.text.dates import read_dates
from bot.text.facts import Fact, missing_facts
from bot.text.numbers import counts_the_same
from bot.text.quantity import read_quantities
from bot.text.times import read_times
from index.text.words import content_words

# The sentence must be about what the question is about: this share of the question's words stands in it or its line.
_SAME_SUBJECT = 0.5
_SENTENCES = 5
# Texts are full of dates. Another one contradicts only where the sentence says the rest of the question: "Who built the
# pier in 1974?", "The pier was built in 1972".
_SAME_EVENT = 0.75


@dataclass(frozen=True, slots=True)
class FalsePremise:
    """A part of a question, and the sentence that says something else in its place."""

    text: str
    sentence: ScoredSentence


def contradicted_premise(question: str, ranked: Sequence[ScoredSentence]) -> FalsePremise | None:
    """Return what the question takes for granted and the evidence contradicts, or None.

    No sentence of the evidence may say it, and one about the same subject must say another thing of the same kind. A
    question that can be answered by No takes nothing for granted.

    Args:
        question: Standing alone, in the language of the documents.
        ranked: Sentences of evidence, best first.
    """
    if not asks_for_a_thing(question):
        return None
    near = [one for one in ranked[:_SENTENCES] if _coverage(one) >= _SAME_SUBJECT]
    titles = list(dict.fromkeys(one.sentence.chunk.title for one in ranked))
    for fact in missing_facts(question, [one.sentence.text for one in ranked], titles) if near else ():
        for one in near:
            if _says_another(fact, question, one.sentence.text):
                return FalsePremise(fact.text, one)
    return None


def _coverage(one: ScoredSentence) -> float:
    return one.sentence.features.coverage + one.sentence.features.line_coverage


def _says_another(fact: Fact, question: str, sentence: str) -> bool:
    kind = fact.kind
    if kind == "number":
        asked = [one for one in read_quantities(question) if one.span.overlap(fact.span) and not one.is_ordinal]
        found = [one for one in read_quantities(sentence) if not one.is_article and not one.is_ordinal]
        return any(counts_the_same(one, other) for one in asked for other in found)
    if kind in ("date", "time"):
        others = read_dates(sentence) if kind == "date" else read_times(sentence)
        return bool(others) and _share_beside(fact, question, sentence) >= _SAME_EVENT
    # "Who is not allowed?" takes nothing for granted, "Why are dogs not allowed?" does.
    if expected_type(question) is not AnswerType.REASON:
        return False
    if kind == "negation":
        denied = {word.key for word in content_words(fact.text)}
        return bool(denied & {word.key for word in content_words(sentence)})
    return kind == "comparison" and (bool(missing_directions(question, [sentence])) or _has_a_rival(fact, sentence))


def _share_beside(fact: Fact, question: str, sentence: str) -> float:
    """Return the share of the question's content words, those of the fact left out, that stand in a sentence."""
    rest = {word.key for word in content_words(question) if not word.span.overlap(fact.span)}
    return len(rest & {word.key for word in content_words(sentence)}) / len(rest) if rest else 0.0


def _has_a_rival(fact: Fact, sentence: str) -> bool:
    """Return whether a sentence compares in the same respect, and the other way: "after" where "before" was asked."""
    asked = {(one.group, one.kind) for one in read_comparisons(fact.text)}
    stated = {(one.group, one.kind) for one in read_comparisons(sentence)}
    return any(group == other and kind != rival for group, kind in asked for other, rival in stated)
