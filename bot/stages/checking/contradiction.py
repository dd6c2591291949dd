"""Two sentences that say the same of the same thing, but for one value: a number, date, time, name, or a "not".

The comparison is lexical, and tuned for precision: if one sentence has a qualifier that the other lacks, both may be
true, and no contradiction is reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import regex

from bot.text.comparisons import read_comparisons
from bot.text.dates import Day, read_dates, years_of
from bot.text.fact import mask
from bot.text.facts import Fact, missing_facts
from bot.text.numbers import counts_the_same
from bot.text.quantity import Quantity, read_quantities
from bot.text.times import read_times
from index.document import Span
from index.text.words import Word, content_words, fold_word, is_function_word

# Of the words of the shorter sentence, the value left out, this share stands in the longer one too.
_SAME_SUBJECT = 0.8
# The share that is enough where both say most of what the question names, and that is so many things at least.
_SAME_ANSWER = 0.5
_MOST_ASKED = 0.75
_FEWEST_ASKED = 3
# With fewer of all its words, value included, in common the two need not be read for facts.
_WORTH_READING = 0.4
_FEWEST_SHARED = 3
# Where a word turns the meaning, both sentences must say nearly nothing else.
_SAME_SENTENCE = 0.85
_FEWEST_SHARED_SENTENCE = 4
# A number is no rival of what it is rounded to, so far away at most.
_ROUNDED = Fraction(1, 10)
# What can be true of one person, place or thing only. Two people may well have attended the same meeting.
_ONLY_ONE = regex.compile(
    r"\b(?:found(?:ed|er)|built|buil[dt]er?|design(?:ed|er)|invent(?:ed|or)|discover(?:ed|er)|wr(?:ote|itten)|author"
    r"|compos(?:ed|er)|direct(?:ed|or)|paint(?:ed|er)|w(?:on|inner)|own(?:s|ed|er)|manag(?:es|ed|er)|chair\w*|head(?:s|ed)?"
    r"|led|leads|leader|capital|located|born|died|secretary|president|minister|chief|held (?:in|at)|called|named)\b"
    r"|創辦|创办|創立|创立|興建|兴建|設計|设计|發明|发明|發現|发现|撰寫|撰写|作者|導演|导演|主席|局長|局长|總監|总监|負責人|负责人|首都|位於|位于|管理",
    regex.IGNORECASE,
)
# Words that tell one of several things of a kind: what has one of them is another thing than what has not.
_ONE_OF_SEVERAL = frozenset(
    fold_word(word)
    for word in """
    old new former current previous present next last first second third early late later earlier initial
    upper lower inner outer north south east west northern southern eastern western left right main
    half part average mean median minimum maximum least most highest lowest
    annual monthly weekly daily hourly male female men women adult child children senior
    planned proposed expected estimated projected actual target
    """.split()
)
_CAPITALS = regex.compile(r"\p{Lu}[\p{L}\d'’-]*(?:[ ](?:\p{Lu}|\d)[\p{L}\d'’-]*)*")
_LETTER = regex.compile(r"(?<=\p{L} )\p{Lu}(?![\p{L}\d.'’&-])")
_BOUND_DISTANCE = 4  # characters between a bound and its number
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Contradiction:
    """What one text says and what the other says in its place; both empty where it is a word such as "not"."""

    said: str = ""
    otherwise: str = ""


def find_contradiction(said: str, otherwise: str, question: str, context: Sequence[str] = ()) -> Contradiction | None:
    """Return in what two texts contradict each other, or None.

    Args:
        said: A sentence.
        otherwise: Another.
        question: What both are to answer; what it names is no value in question.
        context: Titles of their documents; may supply names.
    """
    is_longer = len(content_words(said)) > len(content_words(otherwise))
    short, long = (otherwise, said) if is_longer else (said, otherwise)
    words, others = _keys(short, ()), _keys(long, ())
    if len(words & others) < _WORTH_READING * len(words) or (words ^ others) & _ONE_OF_SEVERAL - _keys(question, ()):
        return None
    if _is_named_otherwise(short, long):
        return None
    missing = missing_facts(short, [long], context)
    kinds = {fact.kind.removeprefix("lost ") for fact in missing}
    if len(kinds) != 1:
        return None
    (kind,) = kinds
    find = _FINDERS[kind]
    found = find(missing, short, long, question, context)
    if found is None or not is_longer:
        return found
    return Contradiction(found.otherwise, found.said)


def _number(
    missing: Sequence[Fact], short: str, long: str, question: str, context: Sequence[str]
) -> Contradiction | None:
    own = _only([one for one in read_quantities(short) if _counts(one) and _covers(missing, one.span)])
    asked = [value for one in read_quantities(question) for value in one.values]
    if own is None or own.values & set(asked):
        return None
    stated = frozenset(value for one in read_quantities(short) for value in one.values)
    others = [one for one in read_quantities(long) if _counts(one) and not one.values & stated]
    rival = _only([one for one in others if counts_the_same(own, one)])
    if rival is None or rival.values & set(asked) or _is_rounded(own, rival):
        return None
    if _is_bounded(short, own.span) or _is_bounded(long, rival.span):
        return None
    if not _same_subject(short, own.span, long, rival.span, question) or not _same_time(
        short, long, [own.span, rival.span], question, context
    ):
        return None
    return Contradiction(own.span.of(short).strip(), rival.span.of(long).strip())


def _date(
    missing: Sequence[Fact], short: str, long: str, question: str, _context: Sequence[str]
) -> Contradiction | None:
    own = _only([one for one in read_dates(short) if _covers(missing, one.span)])
    rival = _only([one for one in read_dates(long) if missing_facts(one.span.of(long), [short])])
    if own is None or rival is None or len(own.options) != 1 or len(rival.options) != 1:
        return None
    if _given(own.options[0]) != _given(rival.options[0]) or not missing_facts(own.span.of(short), [question]):
        return None
    if {year for year in years_of(long) if year in years_of(question)} - years_of(short):
        return None
    return (
        Contradiction(own.span.of(short), rival.span.of(long))
        if _same_subject(short, own.span, long, rival.span, question)
        else None
    )


def _time(
    missing: Sequence[Fact], short: str, long: str, question: str, _context: Sequence[str]
) -> Contradiction | None:
    own = _only([one for one in read_times(short) if _covers(missing, one.span)])
    rival = _only([one for one in read_times(long) if missing_facts(one.span.of(long), [short])])
    if own is None or rival is None or not _same_subject(short, own.span, long, rival.span, question):
        return None
    return Contradiction(own.span.of(short), rival.span.of(long))


def _name(
    missing: Sequence[Fact], short: str, long: str, question: str, context: Sequence[str]
) -> Contradiction | None:
    back = [fact for fact in missing_facts(long, [short], context) if fact.kind == "name"]
    if not back or not _ONLY_ONE.search(f"{short} {question}"):
        return None
    own, rival = _whole(missing, short), _whole(back, long)
    if own is None or rival is None or not _same_sentence(short, [own], long, [rival]):
        return None
    if not missing_facts(own.of(short), [question]) or not missing_facts(rival.of(long), [question]):
        return None
    return Contradiction(own.of(short), rival.of(long))


def _turned(
    missing: Sequence[Fact], short: str, long: str, _question: str, _context: Sequence[str]
) -> Contradiction | None:
    if any(fact.kind.endswith("comparison") for fact in missing):
        said = {(one.group, one.kind) for one in read_comparisons(short)}
        stated = {(one.group, one.kind) for one in read_comparisons(long)}
        if not any(group == other and kind != rival for group, kind in said - stated for other, rival in stated - said):
            return None
    return Contradiction() if _same_sentence(short, [], long, []) else None


_Finder = Callable[[Sequence[Fact], str, str, str, Sequence[str]], Contradiction | None]
_FINDERS: dict[str, _Finder] = {
    "number": _number,
    "date": _date,
    "time": _time,
    "name": _name,
    "negation": _turned,
    "comparison": _turned,
}


def _is_named_otherwise(one: str, other: str) -> bool:
    """Return whether a name of one text is longer in the other, or has another letter: "Block A", "Block B"."""
    if set(_LETTER.findall(one)) != set(_LETTER.findall(other)):
        return True
    names, others = _read_runs(one), _read_runs(other)
    return any(
        name != rival and (_begins(name, rival) or _begins(rival, name))
        for name in names - others
        for rival in others - names
    )


def _begins(name: tuple[str, ...], longer: tuple[str, ...]) -> bool:
    return len(name) < len(longer) and longer[: len(name)] == name


def _read_runs(text: str) -> set[tuple[str, ...]]:
    """Return the runs of capitalised words of a text, function words at their beginning left out."""
    values = [*(one.span for one in read_quantities(text) if one.values), *(one.span for one in read_dates(text))]
    runs = set()
    for run in _CAPITALS.findall(mask(text, values)):
        words = run.casefold().split()
        while words and is_function_word(Word(Span(0, len(words[0])), ""), words[0]):
            words.pop(0)
        runs.add(tuple(words))
    return runs - {()}


def _only(values: Sequence[Value]) -> Value | None:
    return values[0] if len(values) == 1 else None


def _covers(facts: Sequence[Fact], span: Span) -> bool:
    return any(fact.span.overlap(span) for fact in facts)


def _counts(one: Quantity) -> bool:
    return bool(one.values) and not one.is_ordinal and not one.is_article


def _is_rounded(one: Quantity, other: Quantity) -> bool:
    near = ((a, b) for a in one.values for b in other.values if abs(a - b) <= _ROUNDED * max(abs(a), abs(b)))
    return any(_rounds(a, b) or _rounds(b, a) for a, b in near)


def _rounds(value: Fraction, rounded: Fraction) -> bool:
    """Return whether a number is another with fewer digits; years are not rounded."""
    if all(one.denominator == 1 and 1000 <= one <= 2100 for one in (value, rounded)):
        return False
    digits = len(format(float(rounded), ".12g").replace(".", "").strip("-0")) or 1
    return float(format(float(value), f".{digits - 1}e")) == float(rounded)


def _is_bounded(text: str, span: Span) -> bool:
    """Return whether a number is only a bound: "at least 5" and "8" may both be true."""
    before = Span(max(0, span.start - _BOUND_DISTANCE), span.start)
    return any(one.group == "bound" and one.span.overlap(before) for one in read_comparisons(text))


def _given(day: Day) -> tuple[bool, bool, bool]:
    return day.year is not None, day.month is not None, day.day is not None


def _same_subject(short: str, own: Span, long: str, rival: Span, question: str) -> bool:
    rest, others, asked = _keys(short, [own]), _keys(long, [rival]), _keys(question, ())
    answers = len(asked & rest & others) >= max(_FEWEST_ASKED, _MOST_ASKED * len(asked))
    share = _SAME_ANSWER if answers else _SAME_SUBJECT
    return _is_whole(rest, others) or len(rest & others) >= max(_FEWEST_SHARED, share * len(rest))


def _same_sentence(short: str, own: Sequence[Span], long: str, rivals: Sequence[Span]) -> bool:
    rest, others = _keys(short, own), _keys(long, rivals)
    shared = len(rest & others)
    return _is_whole(rest, others) or shared >= max(_FEWEST_SHARED_SENTENCE, _SAME_SENTENCE * len(rest | others))


def _is_whole(rest: Set[str], others: Set[str]) -> bool:
    return rest == others and len(rest) > 1


def _keys(text: str, without: Sequence[Span]) -> frozenset[str]:
    return frozenset(word.key for word in content_words(text) if not any(word.span.overlap(span) for span in without))


def _same_time(short: str, long: str, values: Sequence[Span], question: str, context: Sequence[str]) -> bool:
    """Return whether neither sentence names a year that the other does not, nor its title or the question."""
    known = years_of(" \n ".join((question, *context)))
    own = years_of(mask(short, values[:1]))
    return not (own ^ years_of(mask(long, values[1:]))) - known


def _whole(facts: Sequence[Fact], text: str) -> Span | None:
    """Return the place of a name that several facts are the words of, or None where there are several names."""
    span = Span(facts[0].span.start, facts[-1].span.end)
    between = mask(text, [fact.span for fact in facts])[span.start : span.end]
    return None if between.strip("\0 .-") else span
