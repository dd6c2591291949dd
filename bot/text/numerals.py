"""Number words to values, in English and Chinese.

The libraries that do this (text2num, word2number, cn2an) take a whole string for one number, or rewrite the text and
lose the places; ours reads what a pattern has found and keeps them.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import regex

from bot.text.fact import read_table

DIGITS = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?|[0-9]+(?:\.[0-9]+)?"

_TABLE = read_table("numerals")
ENGLISH: dict[str, int] = _TABLE["english"]
ENGLISH_SCALES: dict[str, int] = _TABLE["english_scales"]
ORDINALS: dict[str, int] = _TABLE["english_ordinals"]
PARTS: dict[str, int] = _TABLE["english_parts"]
SUFFIXES: dict[str, int] = _TABLE["suffixes"]
_CHINESE_DIGITS: dict[str, int] = _TABLE["chinese_digits"]
_CHINESE_TENS: dict[str, int] = _TABLE["chinese_tens"]
_CHINESE_UNITS: dict[str, int] = _TABLE["chinese_units"]
_CHINESE_SCALES: dict[str, int] = _TABLE["chinese_scales"]

CHINESE_SCALES = "".join((*_CHINESE_UNITS, *_CHINESE_SCALES))
CHINESE_CHARACTERS = "".join((*_CHINESE_DIGITS, *_CHINESE_TENS)) + CHINESE_SCALES
CHINESE_NO_NUMBER: list[str] = _TABLE["chinese_words"]["no_number"]
_CHINESE_TOKEN = regex.compile(rf"{DIGITS}|[{CHINESE_CHARACTERS}]")
_WORD = regex.compile(r"[a-z]+")


def parse_digits(written: str) -> Fraction:
    """Return the value of digits with separators, such as "1,000.5"."""
    return Fraction(written.replace(",", ""))


def read_english_words(written: str) -> Iterator[tuple[int, int, Fraction]]:
    """Yield (start, end, value) of the numbers that a run of English number words spells, in characters of the run.

    A run may hold several ("two three"); "nineteen ninety-seven" is the year; an ordinal ends its number.
    """
    total, current, start, end = 0, 0, -1, 0
    smallest = 10**15  # what may follow must be smaller than this
    for match in _WORD.finditer(written.casefold()):
        word = match.group()
        if word in {"and", "a", "an"}:
            continue
        scale = ENGLISH_SCALES.get(word)
        value = ENGLISH.get(word, ORDINALS.get(word, 0))
        is_year = scale is None and 10 < current <= 20 and not total and 10 <= value < 100
        if start >= 0 and scale is None and value >= smallest and not is_year:
            yield start, end, Fraction(total + current)
            total, current, start, smallest = 0, 0, -1, 10**15
        if start < 0:
            start = match.start()
        end = match.end()
        if is_year:
            current, smallest = current * 100 + value, 10 if value % 10 == 0 else 1
        elif scale is None:
            current += value
            smallest = 10 if value >= 20 else 1
        elif scale <= 100:
            current, smallest = max(current, 1) * scale, 100
        else:
            total, current, smallest = total + max(current, 1) * scale, 0, scale
    if start >= 0:
        yield start, end, Fraction(total + current)


def parse_chinese(written: str) -> Fraction:
    """Return the value of a Chinese numeral in simplified script, with or without digits: "二千三百万", "2.5亿"."""
    whole, _, decimals = written.partition("点")
    if decimals:
        digits = "".join(str(_CHINESE_DIGITS.get(character, character)) for character in decimals)
        return parse_chinese(whole) + Fraction(int(digits), 10 ** len(digits))
    tokens = _CHINESE_TOKEN.findall(whole)
    if len(tokens) > 1 and all(token in _CHINESE_DIGITS for token in tokens):
        return Fraction(int("".join(str(_CHINESE_DIGITS[token]) for token in tokens)))
    total, section = Fraction(0), Fraction(0)
    number: Fraction | None = None  # the digit that waits for its unit
    for token in tokens:
        if token in _CHINESE_DIGITS:
            number = Fraction(_CHINESE_DIGITS[token])
        elif token in _CHINESE_TENS:
            section += _CHINESE_TENS[token]
        elif token in _CHINESE_UNITS:
            section += (1 if number is None else number) * _CHINESE_UNITS[token]
            number = None
        elif token in _CHINESE_SCALES:
            scale = _CHINESE_SCALES[token]
            section += number or 0
            if total and total < scale:  # as in 万亿, ten thousand times a hundred million
                total = (total + section) * scale
            else:
                total += (section or 1) * scale
            section, number = Fraction(0), None
        else:
            number = parse_digits(token)
    return total + section + (number or 0)
