"""How alike two questions are: what words rule out, and what speaks for it where they do not."""

from __future__ import annotations

from dataclasses import astuple, dataclass, fields

from bot.answer_type import AnswerType, expected_type
from bot.approved.asked import Asked, opposed, read_asked
from bot.facts import missing_facts
from bot.question import detect_language
from index.embedding.embedder import Embedder

# Below this cosine two questions are not looked at: rewordings of public questions lie above it.
NEAR = 0.8
_MOST_WORDS = 4
_IDENTICAL = 0.9999
# "Which" and "how" do not say what is asked for, and who is asked for may be named: "Which party won?", "Who won?"
_OPEN = frozenset({"which", "how", "who"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """What speaks for two questions asking the same.

    Attributes:
        cosine: Of their vectors.
        covered: Share of the words of the one with the smaller share that the other has too.
        strangest: Lowest cosine of a word that only one has with the nearest word of the other; 1 if none.
        alone: How many words only one of them has, the larger number of the two, 4 at most.
        unsure: 1 where only one of them names the kind of thing it asks for, else 0.
    """

    cosine: float
    covered: float
    strangest: float
    alone: float
    unsure: float

    @property
    def is_identical(self) -> bool:
        """Whether they are one question but for courtesies, case and the like."""
        return self.cosine > _IDENTICAL

    def row(self) -> tuple[float, ...]:
        """Return the features as numbers, in the order of `likeness_names`."""
        return astuple(self)


def likeness_names() -> tuple[str, ...]:
    """Return the names of the features in order."""
    return tuple(field.name for field in fields(Likeness))


def likeness(asked: str, approved: str, embedder: Embedder) -> Likeness | None:
    """Return what speaks for two questions asking the same; None where words rule it out.

    Another number, date, time, name, negation or comparison, an opposite, another kind of thing or another language:
    each of them makes it another question, however alike the two sound.
    """
    if detect_language(asked) != detect_language(approved):
        return None
    one, other = read_asked(asked), read_asked(approved)
    first, second = embedder.embed([one.text, other.text])
    cosine = float(first @ second)
    if cosine < NEAR or not _ask_for_one_kind(one, other) or opposed(one, other):
        return None
    if missing_facts(one.subject, [other.subject]) or missing_facts(other.subject, [one.subject]):
        return None
    own = [written for key, written in one.words.items() if key not in other.words]
    theirs = [written for key, written in other.words.items() if key not in one.words]
    shared = len(one.words.keys() & other.words.keys())
    return Likeness(
        cosine=cosine,
        covered=min(shared / max(len(words), 1) for words in (one.words, other.words)),
        strangest=min(_least_near(own, other, embedder), _least_near(theirs, one, embedder)),
        alone=float(min(max(len(own), len(theirs)), _MOST_WORDS)),
        unsure=float(expected_type(one.text) is not expected_type(other.text)),
    )


def _ask_for_one_kind(one: Asked, other: Asked) -> bool:
    kinds = {expected_type(one.text), expected_type(other.text)}
    if one.kinds - _OPEN != other.kinds - _OPEN:
        return len(kinds) == 1 and AnswerType.OTHER not in kinds and "how_many" not in one.kinds ^ other.kinds
    return len(kinds - {AnswerType.OTHER}) <= 1


def _least_near(words: list[str], other: Asked, embedder: Embedder) -> float:
    if not words:
        return 1.0
    if not other.words:
        return 0.0
    near = embedder.embed(words) @ embedder.embed(list(other.words.values())).T
    return float(near.max(axis=1).min())
