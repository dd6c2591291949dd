"""Words as they are compared: folded, stemmed, and cut sensibly where a script has no spaces.

Keyword search and everything that asks "is this word in that sentence?" use the same words, so that they agree.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace

import opencc
import regex
import Stemmer

from index.document import Span
from index.text.invisible import comparable, comparable_places

# A run of Han, Kana or Hangul; or a word or number of any other script, with inner apostrophes, points and commas
# ("don't", "3.5", "41,000") kept together.
_WORD = regex.compile(
    r"(?P<ideographs>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]+)"
    r"|(?P<number>\p{Nd}+(?:[.,]\p{Nd}+)*)"
    r"|(?P<word>[\p{L}\p{M}]+(?:['’][\p{L}\p{M}]+)*)"
)

# Function words carry no subject. Grouped by what they do, so that the list can be argued about.
_FUNCTION_WORDS = frozenset(
    """
    a an the this that these those such some any each every no other another same
    i me my mine we us our ours you your yours he him his she her hers it its they them their theirs one ones
    myself yourself himself herself itself ourselves themselves
    who whom whose which what when where why how
    and or but nor so yet if then else than because although though while whereas unless until
    of in on at by for with about against between into through during before after above below to from up down
    out off over under again further upon within without across toward towards onto per via as
    be am is are was were been being do does did done doing have has had having will would shall should can could
    may might must ought
    not n't only just also too very more most much many few less least own both all there here now
    please tell know say says said give show find explain describe let want like need wonder wondering curious
    hi hello hey thanks thank ok okay yes yeah well really actually
    s t re ve ll d m don doesn didn isn aren wasn weren won
    """.split()
)

_SENTENCE_STARTERS = frozenset('.!?:;\n"“•')
_IDEOGRAPH_FUNCTION_CHARACTERS = frozenset(
    "的了是在和與与及或也都就而之其呢嗎吗吧啊請请問问我你您他她它們们這这那哪些個个為为於于以有把被將将"
)


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a text.

    Attributes:
        span: Place in the text it was read from.
        key: The form that is compared: folded and stemmed; for ideographs a pair of neighbours (or a lone one), in
            simplified script so that both scripts meet.
        is_number: Whether it is written in digits.
        is_name: Whether it starts with a capital where a sentence does not demand one.
        is_capitals: Whether it is an abbreviation such as "AI": capitals only, at least two.
    """

    span: Span
    key: str
    is_number: bool = False
    is_name: bool = False
    is_capitals: bool = False


@functools.lru_cache(maxsize=1)
def _simplifier() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


@functools.lru_cache(maxsize=1)
def _stemmer() -> Stemmer.Stemmer:
    return Stemmer.Stemmer("english")


@functools.lru_cache(maxsize=100_000)
def fold_word(word: str) -> str:
    """Return the compared form of one spelled word: NFKC, case folded, possessive dropped, English stem.

    The stem is Porter's (Snowball English, "Porter2").
    """
    folded = unicodedata.normalize("NFKC", word).casefold().replace("’", "'").removesuffix("'s")
    without_marks = "".join(c for c in unicodedata.normalize("NFD", folded) if not unicodedata.combining(c))
    stem: str = _stemmer().stemWord(unicodedata.normalize("NFC", without_marks) or folded)
    return stem


def iterate_words(text: str) -> Iterator[Word]:
    """Yield the words of a text in order, function words included; characters that nobody sees count for nothing."""
    plain, places = comparable_places(text)
    for word in _plain_words(plain):
        yield (
            word if places is None else replace(word, span=Span(places[word.span.start], places[word.span.end - 1] + 1))
        )


def _plain_words(text: str) -> Iterator[Word]:
    sentence_start = True
    previous_end = 0
    for match in _WORD.finditer(text):
        gap = text[previous_end : match.start()]
        sentence_start = sentence_start or not _SENTENCE_STARTERS.isdisjoint(gap)
        if match.lastgroup == "ideographs":
            yield from _ideograph_words(match.group(), match.start())
        elif match.lastgroup == "number":
            digits = unicodedata.normalize("NFKC", match.group()).replace(",", "")
            yield Word(Span(*match.span()), digits, is_number=True)
        else:
            written = match.group()
            is_name = written[0].isupper() and (not sentence_start or (len(written) > 1 and written.isupper()))
            is_capitals = len(written) > 1 and written.isupper()
            key = unicodedata.normalize("NFKC", written).casefold() if is_capitals else fold_word(written)
            yield Word(Span(*match.span()), key, is_name=is_name, is_capitals=is_capitals)
        sentence_start = False
        previous_end = match.end()


def simplify(run: str) -> str:
    """Return ideographs in simplified script, as many as there were."""
    simplified: str = _simplifier().convert(run)
    # A phrase converted to another length would shift the places.
    return simplified if len(simplified) == len(run) else run


def _ideograph_words(run: str, start: int) -> Iterator[Word]:
    simplified = simplify(run)
    if len(run) == 1:
        yield Word(Span(start, start + 1), simplified)
    for offset in range(len(run) - 1):
        yield Word(Span(start + offset, start + offset + 2), simplified[offset : offset + 2])


def is_function_word(word: Word, text: str) -> bool:
    """Return whether a word says nothing about the subject ("the", "which", "的")."""
    written = comparable(word.span.of(text)).casefold().replace("’", "'")
    return (
        _IDEOGRAPH_FUNCTION_CHARACTERS.issuperset(written)
        or written in _FUNCTION_WORDS
        or written.split("'")[0] in _FUNCTION_WORDS
    )


@functools.lru_cache(maxsize=20_000)  # the sentences of a chunk are read for every question that finds it
def content_words(text: str) -> tuple[Word, ...]:
    """Return the words of a text that carry its subject, in order."""
    return tuple(word for word in iterate_words(text) if not is_function_word(word, text))


def search_keys(text: str) -> list[str]:
    """Return the compared forms of every word of a text, in order, as keyword search stores them."""
    return [word.key for word in iterate_words(text)]
