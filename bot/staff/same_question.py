"""Whether two questions ask the same: ruled out by words, else decided by two small logistic regressions.

Their parameters and thresholds are `same_question.json`, fitted by `footnote eval approved --fit` on articles that are
not reported. `model` is used where a language model gives its log-odds; while it is not fitted, `words` decides alone.
"""

from __future__ import annotations

import functools
import json
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import astuple, dataclass, fields
from importlib.resources import files
from typing import Any

import regex

from bot.language_model.session import ModelSession
from bot.stages.logistic import LogisticModel
from bot.stages.question.answer_type import AnswerType, expected_type
from bot.stages.question.clean import detect_language
from bot.text.fact import mask, normalise
from bot.text.facts import missing_facts
from index.document import Span
from index.embedding.embedder import Embedder
from index.text.words import content_words, fold_word
from prompts.instructions import instruction

# Prefixes that give a word the opposite meaning, as in "legal" and "illegal".
_PREFIXES = ("non", "un", "in", "im", "il", "ir", "dis", "anti")


@dataclass(frozen=True, slots=True)
class ParsedQuestion:
    """A question as it is compared with another.

    Attributes:
        text: Without courtesies.
        subject: The text without question phrases such as "Who" or "in which year".
        kinds: What is asked for: `when`, `where`, `why`, `who`, `how_many`, `how`, `which`; several where it asks for
            several things.
        words: Compared form of each word of its subject, and how it is written.
    """

    text: str
    subject: str
    kinds: frozenset[str]
    words: Mapping[str, str]


@functools.lru_cache(maxsize=4096)
def parse_question(question: str) -> ParsedQuestion:
    """Parse a question; one that is nothing but courtesies stays as it is."""
    text = without_courtesies(question)
    plain = normalise(text)
    kinds: set[str] = set()
    taken: list[Span] = []
    for kind, pattern in _asking().items():
        for match in pattern.finditer(mask(plain, taken)):
            taken.append(Span(*match.span()))
            kinds.add(kind)
    subject = mask(text, taken).replace("\0", " ")
    words = {word.key: word.span.of(text) for word in content_words(subject) if word.key not in _fillers()}
    return ParsedQuestion(text, subject, frozenset(kinds), words)


def without_courtesies(question: str) -> str:
    """Return a question without greetings, thanks and the like around it."""
    before, after = _courtesies()
    text = question.strip()
    while text:
        shorter = after.sub("", before.sub("", text)).strip()
        if not shorter or shorter == text:
            break
        text = shorter
    return text


def _have_opposites(one: ParsedQuestion, other: ParsedQuestion) -> bool:
    """Return whether one question has a word and the other its opposite."""
    return _have_opposite_words(one, other) or _have_opposite_ideographs(normalise(one.text), normalise(other.text))


def _have_opposite_words(one: ParsedQuestion, other: ParsedQuestion) -> bool:
    words, others = _spelled(one.text), _spelled(other.text)
    own, theirs = words - others, others - words
    if any(own & group and theirs & group for group in _opposites()):
        return True
    return any(f"{prefix}{word}" in mine for mine in (own, theirs) for word in words | others for prefix in _PREFIXES)


def _have_opposite_ideographs(one: str, other: str) -> bool:
    return any(
        (first in one and first not in other and second in other and second not in one)
        for group in _table()["opposites"]["ideographic"]
        for first in group.split()
        for second in group.split()
        if first != second
    )


def _spelled(text: str) -> frozenset[str]:
    return frozenset(fold_word(word) for word in regex.findall(r"\p{Latin}+", text))


@functools.lru_cache(maxsize=1)
def _table() -> dict[str, Any]:
    return tomllib.loads(files("bot.staff").joinpath("same_question.toml").read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=1)
def _courtesies() -> tuple[regex.Pattern[str], regex.Pattern[str]]:
    table = _table()["courtesy"]
    before, after = ("|".join(f"(?:{one})" for one in table[place]) for place in ("before", "after"))
    return (
        regex.compile(rf"^(?:{before})(?=\s|\p{{Han}})\s*", regex.IGNORECASE),
        regex.compile(rf"(?<=[\s?？.!。，,]|\p{{Han}})(?:{after})$", regex.IGNORECASE),
    )


@functools.lru_cache(maxsize=1)
def _asking() -> dict[str, regex.Pattern[str]]:
    return {
        kind: regex.compile(normalise("|".join(some)), regex.IGNORECASE) for kind, some in _table()["asking"].items()
    }


@functools.lru_cache(maxsize=1)
def _fillers() -> frozenset[str]:
    return frozenset(fold_word(word) for word in _table()["filler"]["words"].split())


@functools.lru_cache(maxsize=1)
def _opposites() -> tuple[frozenset[str], ...]:
    return tuple(frozenset(map(fold_word, group.split())) for group in _table()["opposites"]["groups"])


# Below this cosine two questions are not compared: rewordings of public questions lie above it.
NEAR = 0.8
_MOST_WORDS = 4
_IDENTICAL = 0.9999
# "Which" and "how" do not say what is asked for, and "who" may be replaced by a noun: "Which party won?", "Who won?"
_OPEN = frozenset({"which", "how", "who"})


@dataclass(frozen=True, slots=True)
class Likeness:
    """Features of two questions that may ask the same.

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
    """Return the features of two questions that may ask the same; None where their words rule it out.

    Another number, date, time, name, negation or comparison, an opposite, another kind of thing or another language
    makes it another question, however similar the two are otherwise.
    """
    if detect_language(asked) != detect_language(approved):
        return None
    one, other = parse_question(asked), parse_question(approved)
    first, second = embedder.embed([one.text, other.text])
    cosine = float(first @ second)
    if cosine < NEAR or not _ask_for_one_kind(one, other) or _have_opposites(one, other):
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


def _ask_for_one_kind(one: ParsedQuestion, other: ParsedQuestion) -> bool:
    kinds = {expected_type(one.text), expected_type(other.text)}
    if one.kinds - _OPEN != other.kinds - _OPEN:
        return len(kinds) == 1 and AnswerType.OTHER not in kinds and "how_many" not in one.kinds ^ other.kinds
    return len(kinds - {AnswerType.OTHER}) <= 1


def _least_near(words: list[str], other: ParsedQuestion, embedder: Embedder) -> float:
    if not words:
        return 1.0
    if not other.words:
        return 0.0
    near = embedder.embed(words) @ embedder.embed(list(other.words.values())).T
    return float(near.max(axis=1).min())


Consult = Callable[[Callable[[ModelSession], float | None], float | None], float | None]
"""Returns what the model says to the first argument, or the second without one (`Inquiry.consult`)."""

# Log-odds of the model are cut to this size.
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
        """Return the probability that two questions are the same, less the threshold.

        Args:
            asked: Standing alone.
            approved: Standing alone.
            embedder: Compares them.
            consult: Asks the language model, where there is one.

        Returns:
            A number below 0 for two questions that are not taken for the same.
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


def same_odds(consultation: ModelSession, asked: str, approved: str) -> float:
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
    return parse_sameness(files("bot.staff").joinpath("same_question.json").read_text(encoding="utf-8"))


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
