"""A golden question that rules made from a sentence, and the phrases that an answer to it may use."""

from __future__ import annotations

import calendar
import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction

import regex

from bot.stages.question.clean import to_script
from bot.text.dates import DateRead, Day
from bot.text.fact import is_ideographic
from bot.text.facts import missing_facts
from bot.text.numerals import CHINESE_CHARACTERS, ENGLISH
from bot.text.quantity import Quantity
from eval.measures.correctness import shows
from eval.suites.golden import DRAFT, EarlierTurn, EvidenceItem, GoldenQuestion, Quote
from index.text.words import content_words

# The documents do not seem to say what is asked, as far as words can tell: a person has to look.
CHECK_NOT_STATED = "check_not_stated"
FOLLOW_UP = "follow_up"

# Groups of phrases, as `expect` has them.
Groups = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class SourceSentence:
    """A sentence of a document, as it stands there.

    Attributes:
        text: Word for word, with the line breaks of the document.
    """

    document_id: str
    text: str

    def flat(self) -> str:
        """Return the text in one line."""
        return " ".join(self.text.split())


@dataclass(frozen=True, slots=True)
class Amount:
    """What a number measures, so that two of a kind can be compared.

    Attributes:
        label: What has this amount, as a comparison would call it.
        kind: Only amounts of one kind are compared: a currency, or the noun that is counted.
    """

    label: str
    kind: str
    value: Fraction


@dataclass(frozen=True, slots=True)
class QuestionDraft:
    """A proposed question.

    Attributes:
        kind: What it asks for: `fact`, `numeric`, `date`, `who`, `where`, `list`, `why`, `definition`, `comparison`, or
            `near_miss` for one that the documents do not answer.
        sources: The sentences that state the answer; for a near miss what it was made from.
        subject: What it is about, as the question names it.
        asked_before: For a follow-up the question before it and its answer.
        amount: What its answer measures.
        also: Other sentences that state the same answer as the first source.
    """

    kind: str
    question: str
    expect: Groups
    sources: tuple[SourceSentence, ...]
    subject: str = ""
    asked_before: tuple[str, str] | None = None
    amount: Amount | None = None
    also: tuple[SourceSentence, ...] = ()

    @property
    def is_near_miss(self) -> bool:
        """Whether the documents are not supposed to answer it."""
        return self.kind == "near_miss"

    def golden(self) -> GoldenQuestion:
        """Return the golden question, tagged as a draft."""
        turns = self.asked_before or ()
        marks = [CHECK_NOT_STATED] if self.is_near_miss else [FOLLOW_UP] if turns else []
        first, *others = self.sources
        evidence = [(first, *self.also), *((other,) for other in others)] if not self.is_near_miss else []
        digest = hashlib.sha256("\n".join((*turns, self.question)).encode()).hexdigest()[:8]
        return GoldenQuestion(
            id=f"{self.kind.replace('_', '-')}-{digest}",
            question=self.question,
            history=tuple(
                EarlierTurn(role=role, content=said) for role, said in zip(("user", "assistant"), turns, strict=False)
            ),
            answerable=not self.is_near_miss,
            expect=() if self.is_near_miss else self.expect,
            evidence=tuple(
                EvidenceItem(any_of=tuple(Quote(document_id=one.document_id, quote=one.flat()) for one in same))
                for same in evidence
            ),
            tags=(DRAFT, self.kind, *marks),
        )


_WORDS = {value: word for word, value in ENGLISH.items() if value <= 20}
_SCALES = ((10**12, "trillion", "tn"), (10**9, "billion", "bn"), (10**6, "million", "m"))
_HAN_SCALES = ((10**8, "億"), (10**4, "萬"))
_FIRST_DIGIT = regex.compile(rf"[\p{{N}}{CHINESE_CHARACTERS}萬億兩].*")
_TITLE = regex.compile(r"^(?:(?:Professor|Prof\.?|Doctor|Dr\.?|Mr\.?|Mrs\.?|Ms\.?|Sir|Dame|the|The) )+(?=\S)")
_MOST_WORDS = 2
_LONG_NUMBER = 10**7  # nobody writes "1000000000" for a billion


def number_phrases(one: Quantity, sentence: str) -> tuple[str, ...]:
    """Return how the number may be written, without its unit, first as it stands in the sentence."""
    written = one.span.of(sentence).strip()
    bare = _FIRST_DIGIT.search(written)
    found = [bare.group() if bare else written]
    value = next(iter(one.values))
    is_han = is_ideographic(sentence)
    if value.denominator == 1 and abs(value) < _LONG_NUMBER:
        whole = int(value)
        found += [str(whole), f"{whole:,}", *([_WORDS[whole]] if whole in _WORDS and not is_han else [])]
    if is_han:
        found += [f"{float(value / scale):g}{sign}" for scale, sign in _HAN_SCALES if value >= scale]
    elif fitting := next((scale for scale in _SCALES if value >= scale[0]), None):
        scale, word, short = fitting
        amount = f"{float(value / scale):g}"
        found += [f"{amount} {word}", f"{amount}{short}", f"{amount} {short}"]
    return _stated(found, sentence)


def date_phrases(one: DateRead, sentence: str) -> tuple[str, ...]:
    """Return how the date may be written, first as it stands in the sentence."""
    days = one.options if len(one.options) == 1 else ()
    spelled = (phrase for day in days for phrase in _spellings(day, ideographic=is_ideographic(sentence)))
    return _stated([one.span.of(sentence), *spelled], sentence)


def name_phrases(name: str) -> tuple[str, ...]:
    """Return a name without a title or an article before it."""
    return (_TITLE.sub("", name).strip(),)


def word_groups(text: str, question: str) -> Groups:
    """Return the first words of content that an answer which says this must show, those of the question left out."""
    if is_ideographic(text):
        words = [piece for piece in regex.split(r"[的之]|[^\p{Han}]+", text) if 2 <= len(piece) <= 10]
    else:
        words = [word.span.of(text) for word in content_words(text) if len(word.span) > 2]
    return item_groups([word for word in dict.fromkeys(words) if not shows(question, word)][:_MOST_WORDS])


def item_groups(items: Iterable[str]) -> Groups:
    """Return one group for each item of a list, with both scripts where it is Chinese."""
    return tuple(
        tuple(dict.fromkeys([item, to_script(item, "zh_hant"), to_script(item, "zh_hans")]))
        if is_ideographic(item)
        else (item,)
        for item in items
    )


def _spellings(day: Day, *, ideographic: bool) -> Iterator[str]:
    if day.year is None or (day.month is None and day.day is not None):
        return
    if day.month is None:
        yield str(day.year)
        return
    if ideographic:
        yield f"{day.year}年{day.month}月" + (f"{day.day}日" if day.day else "")
    month = calendar.month_name[day.month]
    if day.day is None:
        yield f"{month} {day.year}"
    else:
        yield f"{day.day} {month} {day.year}"
        yield f"{month} {day.day}, {day.year}"
        yield f"{day.year}-{day.month:02d}-{day.day:02d}"
        yield f"{day.day:02d}/{day.month:02d}/{day.year}"


def _stated(phrases: Iterable[str], sentence: str) -> tuple[str, ...]:
    """Return the phrases without repetitions, those left out that would say something else than the sentence."""
    kept = (phrase for phrase in phrases if phrase in sentence or not missing_facts(phrase, [sentence]))
    return tuple(dict.fromkeys(" ".join(phrase.split()) for phrase in kept))
