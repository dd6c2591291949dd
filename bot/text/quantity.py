"""Units and currencies: one name for every spelling.

Quantities: the numbers of a text with what they count or measure, and the places where they stand.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction

import regex

from bot.text.dates import date_spans
from bot.text.fact import mask, normalise, read_table
from bot.text.numerals import (
    CHINESE_CHARACTERS,
    CHINESE_NO_NUMBER,
    CHINESE_SCALES,
    DIGITS,
    ENGLISH,
    ENGLISH_SCALES,
    ORDINALS,
    PARTS,
    SUFFIXES,
    parse_chinese,
    parse_digits,
    read_english_words,
)
from bot.text.times import time_spans
from index.document import Span
from index.text.words import Word, fold_word, is_function_word


def any_of(spellings: list[str]) -> str:
    """Return a pattern of these spellings, longer ones first."""
    # The patterns are written over several lines, where a plain space would count for nothing.
    return "|".join(sorted(spellings, key=len, reverse=True)).replace(" ", r"\s")


_UNITS = read_table("units")
_SPELLINGS = {name: spelling for group in ("currencies", "measures") for name, spelling in _UNITS[group].items()}
CURRENCY = any_of([one for spellings in _UNITS["currencies"].values() for one in spellings])
UNIT = any_of([one for spellings in _SPELLINGS.values() for one in spellings])
_NAMED_UNITS = [(name, regex.compile(any_of(spellings), regex.IGNORECASE)) for name, spellings in _SPELLINGS.items()]


@functools.lru_cache(maxsize=1024)
def canonical_unit(written: str) -> str:
    """Return the name of a currency or measure as our table has it, or "" for none."""
    stripped = written.strip()
    exact = (name for name, pattern in _NAMED_UNITS if stripped and pattern.fullmatch(stripped))
    return next(exact, "")


def is_currency(unit: str) -> bool:
    """Return whether a canonical unit is money."""
    return unit in _UNITS["currencies"]


def units_agree(one: str, other: str) -> bool:
    """Return whether two units may be the same: "$" is any dollar, 元 any that is called so in Chinese."""
    generic: dict[str, list[str]] = _UNITS["generic"]
    return one == other or one in generic.get(other, ()) or other in generic.get(one, ())


def mentions_unit(text: str, unit: str) -> bool:
    """Return whether a unit stands anywhere in a text, as in the heading of a table."""
    return bool(
        regex.search(rf"(?<!\p{{Latin}})(?:{any_of(_SPELLINGS[unit])})(?!\p{{Latin}})", normalise(text), regex.I)
    )


@dataclass(frozen=True, slots=True)
class Quantity:
    """One number of a text.

    Attributes:
        span: Its place, currency and unit included.
        values: What it may mean: usually one value; "5m" has two.
        unit: Canonical currency or measure, or "" when none stands beside it.
        is_ordinal: Whether it counts off ("third") rather than up.
        noun: Compared form of the word after it, or "" when that says nothing.
        code: For numbers inside a word or version ("COVID-19", "3.1.2"): as written, folded; no values then.
        is_article: Whether it is only "a" or "one" and may count nothing; sources supply it, statements need not.
    """

    span: Span
    values: frozenset[Fraction]
    unit: str = ""
    is_ordinal: bool = False
    noun: str = ""
    code: str = ""
    is_article: bool = False


_SPELLED = any_of([*ENGLISH, *ENGLISH_SCALES, *ORDINALS])
_SCALE_WORD = "hundred|thousand|million|billion|trillion"
_SCALES = any_of([*SUFFIXES, *ENGLISH_SCALES])
_HAN = f"[{CHINESE_CHARACTERS}]"
_HAN_NUMBER = rf"(?:(?:{DIGITS})\s?)?{_HAN}+(?:(?:{DIGITS}){_HAN}+)*(?:点[〇零一二三四五六七八九]+)?"

_CODE = regex.compile(
    r"(?<![\p{Latin}\d$])(?:\p{Latin}*\p{Lu}\p{Latin}*-|(?!(?:HKD|USD|RMB|CNY|EUR|GBP|TWD|JPY)\d)\p{Latin}+)"
    r"\d[\p{Latin}\d]*"
    r"(?:[-.]\d+)*|(?<![\d.])\d+(?:\.\d+){2,}|(?<![\p{Latin}\d.,])\d[\d.,]*-?\p{Lu}\b(?![$¥])"
    r"|(?<![\p{Latin}\d.,])\d[\d.,]*(?P<letters>\p{Latin}[\p{Latin}\d]*)"
)
_ORDINAL_LETTERS = {"st", "nd", "rd", "th"}
_ATTACHED = regex.compile(any_of([*SUFFIXES, *ENGLISH_SCALES, UNIT]), regex.IGNORECASE)

_NUMBER = regex.compile(
    rf"""(?P<currency>(?:{CURRENCY})\s?)?(?P<minus>(?<![\p{{L}}\d])-(?=\d)|\bminus\s)?
    (?:百分之(?P<percent>{_HAN_NUMBER}|{DIGITS})
    |(?P<lower>{_HAN_NUMBER}|{DIGITS})分之(?P<upper>{_HAN_NUMBER}|{DIGITS})
    |\b(?P<parts>(?:{any_of(list(ENGLISH))})|an?)[\s-](?P<part>{any_of(list(PARTS))})\b(?=\s(?:of|a|the)\b|-|\s?$|s\b|[.,;])
    |(?P<half>\bhalf\b(?!\s+past)|一半)(?:\s+an?\s+(?P<half_of>{any_of(list(ENGLISH_SCALES))})\b)?
    |(?P<slash>(?<![\d/])\d{{1,2}}/\d{{1,3}}(?![\d/]))
    |(?P<foremost>首)(?=[批个次任期间家名位届座栋条轮阶])
    |(?P<ordinal_sign>第\s?)?(?P<han>{_HAN_NUMBER})(?P<tenths>成(?![为立员功果长本就人]))?
    |(?P<ordinal_sign>第\s?)?(?P<digits>{DIGITS})
        (?:(?P<ordinal>(?:st|nd|rd|th)\b)|\s?-?(?P<scale>(?:{_SCALES})\b(?!-)))?(?P<and_half>\sand\sa\shalf\b)?
    |\b(?P<words>(?:an?\s+(?={any_of(list(ENGLISH_SCALES))}))?(?:{_SPELLED})\b
        (?:(?:[\s-]+|(?<={_SCALE_WORD})\s+and\s+)(?:{_SPELLED})\b)*
        (?:\s+and\s+a\s+(?P<and_half>half)\s?(?P<half_scale>{_SCALE_WORD})?)?)
    |\b(?P<twice>once|twice|thrice|double|triple)\b
    |\b(?P<article>an?|single)(?=\s\p{{L}}))
    (?:\s?-?(?P<unit>{UNIT})(?![\p{{Latin}}]))?""",
    regex.VERBOSE | regex.IGNORECASE,
)
# "5-10 million km": what stands after the end of a range holds for its start.
_RANGE = regex.compile(
    rf"""\s?(?:-|–|to|至|到|or)\s?(?:{CURRENCY})?\s?(?:{DIGITS})\s?-?(?P<scale>(?:{_SCALES})\b)?
    \s?-?(?P<unit>{UNIT})?(?!\p{{Latin}})""",
    regex.VERBOSE | regex.IGNORECASE,
)
_NEXT_WORD = regex.compile(r"[\s-]*(?:(?P<latin>\p{Latin}+)|(?P<han>\p{Han}{2}))")
# Within a number the same characters do count: 四万一千, 三十分.
_NO_NUMBER = regex.compile(rf"(?<![0-9{CHINESE_CHARACTERS}])(?:{'|'.join(CHINESE_NO_NUMBER)})(?![{CHINESE_SCALES}])")
_TIMES = {"once": 1, "twice": 2, "double": 2, "thrice": 3, "triple": 3}


@functools.lru_cache(maxsize=4096)
def read_quantities(text: str) -> tuple[Quantity, ...]:
    """Return the numbers of a text in order; those of dates and times of day are not among them."""
    plain = normalise(text)
    plain = mask(plain, (*date_spans(text), *time_spans(text)))
    found = []
    for match in _CODE.finditer(plain):
        letters = (match.group("letters") or "").casefold()
        if letters in _ORDINAL_LETTERS or (letters and _ATTACHED.fullmatch(letters)):
            continue
        code = match.group().casefold().replace("-", "")
        found.append(Quantity(Span(*match.span()), frozenset(), code=code))
    plain = mask(plain, [one.span for one in found])
    plain = mask(plain, [Span(*match.span()) for match in _NO_NUMBER.finditer(plain)])
    for match in _NUMBER.finditer(plain):
        found.extend(_read(match, plain))
    return tuple(sorted(found, key=lambda one: one.span))


def _read(match: regex.Match[str], plain: str) -> list[Quantity]:
    unit = canonical_unit(match["currency"] or match["unit"] or "")
    span = Span(*match.span())
    after = _NEXT_WORD.match(plain, match.end())
    noun = _compared(after, plain) if after else ""
    if match["words"]:
        return _read_words(match, unit, noun)
    if match["percent"]:
        return [Quantity(span, _values(parse_chinese(match["percent"])), "percent", noun=noun)]
    if match["han"]:
        return [_read_chinese(match, span, unit, noun)]
    if match["digits"]:
        return [_read_digits(match, span, unit, noun)]
    if match["foremost"]:
        return [Quantity(span, _values(Fraction(1)), is_ordinal=True, noun=noun)]
    if match["twice"]:
        unit, value = "times", Fraction(_TIMES[match["twice"].casefold()])
    else:
        value = Fraction(1) if match["article"] else _part(match)
    return [Quantity(span, _values(value), unit, noun=noun, is_article=bool(match["article"]))]


def _read_chinese(match: regex.Match[str], span: Span, unit: str, noun: str) -> Quantity:
    value = parse_chinese(match["han"])
    if match["tenths"]:
        return Quantity(span, _values(value * 10), "percent", noun=noun)
    is_article = match["han"] == "一" and not unit and not match["ordinal_sign"]
    return Quantity(span, _values(value), unit, bool(match["ordinal_sign"]), noun, is_article=is_article)


def _read_digits(match: regex.Match[str], span: Span, unit: str, noun: str) -> Quantity:
    value = parse_digits(match["digits"]) + (Fraction(1, 2) if match["and_half"] else 0)
    value *= -1 if match["minus"] else 1
    scale = match["scale"] or ""
    values = _values(value * _scale(scale))
    if scale.casefold() == "m" and not match["currency"] and not unit:
        values, unit = values | {value}, "metre"
    if not scale and not unit and (range_end := _RANGE.match(match.string, match.end())):
        values |= _values(value * _scale(range_end["scale"] or ""))
        unit = canonical_unit(range_end["unit"] or "")
    return Quantity(span, values, unit, bool(match["ordinal"] or match["ordinal_sign"]), noun)


def _scale(written: str) -> int:
    return ENGLISH_SCALES.get(written.casefold(), SUFFIXES.get(written.casefold(), 1))


def _part(match: regex.Match[str]) -> Fraction:
    """Return the value of a fraction."""
    if match["lower"]:
        return parse_chinese(match["upper"]) / (parse_chinese(match["lower"]) or 1)
    if match["part"]:
        return Fraction(ENGLISH.get(match["parts"].casefold(), 1), PARTS[match["part"].casefold()])
    if match["slash"]:
        upper, _, lower = match["slash"].partition("/")
        return Fraction(int(upper), int(lower) or 1)
    return Fraction(1, 2) * _scale(match["half_of"] or "")


def _read_words(match: regex.Match[str], unit: str, noun: str) -> list[Quantity]:
    numbers = list(read_english_words(match["words"].partition(" and a half")[0]))
    start = match.start("words")
    found = []
    for place, (begin, end, value) in enumerate(numbers):
        is_last = place == len(numbers) - 1
        written = match["words"][begin:end].casefold()
        if is_last and match["and_half"]:
            value = (value + Fraction(1, 2)) * _scale(match["half_scale"] or "")  # noqa: PLW2901
        span = Span(
            match.start() if place == 0 else start + begin,
            match.end() if is_last else start + end,
        )
        is_ordinal = written.split("-")[-1].split()[-1] in ORDINALS
        is_article = written == "one" and not (is_last and unit)
        found.append(
            Quantity(span, _values(value), unit if is_last else "", is_ordinal, noun if is_last else "", "", is_article)
        )
    return found


def _values(value: Fraction) -> frozenset[Fraction]:
    return frozenset((value,))


def _compared(after: regex.Match[str], plain: str) -> str:
    if after["han"]:
        return after["han"]
    word = Word(Span(*after.span("latin")), "")
    return "" if is_function_word(word, plain) else fold_word(after["latin"])
