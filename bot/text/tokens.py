"""A text as a row of words, ideographs, numbers and dates, each in the form in which it is compared."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from difflib import SequenceMatcher

import regex

from bot.text.dates import read_dates
from bot.text.fact import mask, normalise
from bot.text.quantity import Quantity, read_quantities
from bot.text.times import read_times
from index.document import Span
from index.text.words import Word, fold_word, is_function_word

_ARTICLES = frozenset({"a", "an", "the"})
_CUT = {"ca": "can", "wo": "will", "sha": "shall"}  # what "n't" leaves of "can't", "won't" and "shan't"
_WORD = regex.compile(
    r"(?P<ideograph>[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}])|[\p{L}\p{M}]+(?:'[\p{L}\p{M}]+)*|[\p{N}\p{Sc}%]+"
)


@dataclass(frozen=True, slots=True)
class Token:
    """One word, ideograph, number, date or time of a text.

    Attributes:
        span: Place in the text.
        key: Compared form; equal for "8" and "eight", for "HK$1bn" and "HK$1 billion".
        is_content: Whether it says something about the subject.
        is_ideograph: Whether it is a single ideograph.
        is_fixed: Whether it is a number, date, time, or written with a capital: never dropped silently.
    """

    span: Span
    key: str
    is_content: bool = True
    is_ideograph: bool = False
    is_fixed: bool = False


@functools.lru_cache(maxsize=4096)
def read_tokens(text: str, without: tuple[Span, ...] = ()) -> tuple[Token, ...]:
    """Return the tokens of a text in order, articles left out, and what stands at the places `without`."""
    found = [*_dated(text), *_counted(text)]
    found = [token for token in found if not any(token.span.overlap(place) for place in without)]
    plain = mask(normalise(text), [*(token.span for token in found), *without])
    for match in _WORD.finditer(plain):
        written, span = match.group(), Span(*match.span())
        if written.casefold() in _ARTICLES:
            continue
        is_content = not is_function_word(Word(span, ""), plain) and not written.endswith("n't")
        if match["ideograph"]:
            found.append(Token(span, written, is_content, is_ideograph=True))
        elif (whole := _CUT.get(written.casefold())) and span.end < len(plain) and plain[span.end] == "\0":
            found.append(Token(span, whole, is_content=False))
        else:
            key = fold_word(written) if is_content else written.casefold()
            found.append(Token(span, key, is_content, is_fixed=is_content and written[0].isupper()))
    return tuple(sorted(found, key=lambda token: token.span))


def _dated(text: str) -> list[Token]:
    tokens = []
    for one in read_dates(text):
        day = one.options[0] if one.options else None
        key = f"@{day.year}-{day.month}-{day.day}" if day else f"@{one.weekday}{one.relative}"
        if day and day.month is None:  # a year: as a bare number has it
            key = f"#{day.year}"
        tokens.append(Token(one.span, key, is_fixed=True))
    tokens.extend(Token(one.span, f"@{min(one.minutes)}", is_fixed=True) for one in read_times(text))
    return tokens


def _counted(text: str) -> list[Token]:
    return [
        Token(one.span, _number_key(one), is_fixed=True)
        for one in read_quantities(text)
        if not (one.is_article and one.span.of(text).casefold() in _ARTICLES)
    ]


def _number_key(one: Quantity) -> str:
    value = min(one.values) if one.values else one.code
    return f"#{value}{'th' if one.is_ordinal else ''}"


def align(one: tuple[Token, ...], other: tuple[Token, ...]) -> dict[int, int]:
    """Return which token of `one` is which of `other`: longest common blocks first, as difflib finds them."""
    matcher = SequenceMatcher(None, [token.key for token in one], [token.key for token in other], autojunk=False)
    return {
        block.a + offset: block.b + offset for block in matcher.get_matching_blocks() for offset in range(block.size)
    }
