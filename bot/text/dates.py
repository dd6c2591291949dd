"""Dates: read in the ways they are written; each component that a statement gives must agree with one date."""

from __future__ import annotations

import datetime
import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from bot.text.fact import Fact, normalise, read_table
from bot.text.numerals import parse_chinese
from index.document import Span


@dataclass(frozen=True, slots=True)
class Day:
    """A date as far as it is given; None where it is not."""

    year: int | None = None
    month: int | None = None
    day: int | None = None

    def meets(self, asked: Day) -> bool:
        """Return whether every component asked for is given here, and equal."""
        return asked.year in {None, self.year} and asked.month in {None, self.month} and asked.day in {None, self.day}


@dataclass(frozen=True, slots=True)
class DateRead:
    """A date in a text.

    Attributes:
        span: Its place.
        options: What it may mean: 05/04/2025 has two, day and month undecided.
        weekday: For a weekday, Monday 0.
        relative: For "yesterday" and its like, as written.
    """

    span: Span
    options: tuple[Day, ...] = ()
    weekday: int | None = None
    relative: str = ""


_TABLE = read_table("dates")
_MONTHS: dict[str, int] = _TABLE["months"]
_WEEKDAYS: dict[str, int] = _TABLE["weekdays"]
_CHINESE_WEEKDAYS: dict[str, int] = _TABLE["weekdays_chinese"]
# Capitals tell "May" and "Mar" from the words; "may 2025" is too rare to risk them.
_NAMES = sorted(_MONTHS, key=len, reverse=True)
_MONTH = "(?:" + "|".join(f"{name.capitalize()}|{name.upper()}" for name in _NAMES) + ")"
_LONE_MONTH = "|".join(name.capitalize() for name in _MONTHS if len(name) > 3 or name == "may")
_DAY = r"(?<!\d)(?:3[01]|[12]\d|0?[1-9])"
_FULL_WEEKDAY = "|".join(name.capitalize() for name in _WEEKDAYS if name.endswith("day"))
_SHORT_WEEKDAY = "|".join(name.capitalize() for name in _WEEKDAYS if not name.endswith("day"))
_ORDINAL = r"(?:st|nd|rd|th)?"
_YEAR = r"(?<!\d)(?:1\d{3}|20\d\d)(?!\d)"
_HAN_SMALL = r"(?:\d{1,2}|[一二三四五六七八九十廿卅]{1,3})"

_DATE = regex.compile(
    rf"""(?P<iso>(?<!\d)(?P<y>\d{{4}})[-/.](?P<m>\d{{1,2}})[-/.](?P<d>\d{{1,2}})(?!\d))
    |(?P<undecided>(?<![\d./])(?P<a>\d{{1,2}})(?P<s>[-/.])(?P<b>\d{{1,2}})(?P=s)(?P<y>\d{{4}}|(?<=/)\d\d)(?![\d/]))
    |(?P<compact>(?<!\d)(?P<y>(?:19|20)\d\d)(?P<m>0[1-9]|1[0-2])(?P<d>0[1-9]|[12]\d|3[01])(?!\d))
    |(?P<written>(?P<d>{_DAY}){_ORDINAL}(?:\s?(?:-|–|to|and|until)\s?(?P<last>{_DAY}){_ORDINAL})?(?:\s+day)?(?:\s+of)?[\s-]+
        (?P<month>{_MONTH})\b\.?(?:,?[\s-]+(?P<y>{_YEAR}))?)
    |(?P<american>\b(?P<month>{_MONTH})\b\.?\s+(?:the\s+)?(?P<d>{_DAY})(?![\d%]|[:.,]\d){_ORDINAL}(?:\s?(?:-|–|to)\s?(?P<last>{_DAY})(?!\d){_ORDINAL})?
        (?:,?\s+(?P<y>{_YEAR}))?)
    |(?P<monthly>\b(?P<month>{_MONTH})\b\.?,?\s+(?:of\s+)?(?P<y>{_YEAR}))
    |(?P<chinese>(?:(?P<y>(?<!\d)\d{{4}}|[〇零一二三四五六七八九]{{4}})\s?年\s?)?(?P<m>{_HAN_SMALL})\s?月(?![球亮光饼])(?:\s?份)?(?:\s?(?P<d>{_HAN_SMALL})\s?[日号])?)
    |(?P<chinese_year>(?P<y>(?<!\d)(?:1\d{{3}}|20\d\d)|[一二][〇零一二三四五六七八九]{{3}})\s?年)
    |(?P<years>(?P<y>{_YEAR})\s?[-–—/]\s?(?P<z>(?:1\d{{3}}|20\d\d|\d\d))(?![\d]))
    |(?P<lone>\b(?P<month>{_LONE_MONTH})\b)
    |(?P<weekday>\b(?:{_FULL_WEEKDAY})s?\b
        |\b(?:{_SHORT_WEEKDAY})\b(?=[.,]?\s+(?:\d|{_MONTH}))
        |(?:星期|周|礼拜)(?P<han_weekday>[一二三四五六日天]))""",
    regex.VERBOSE,
)
_RELATIVE = regex.compile("|".join(_TABLE["relative"]["patterns"]), regex.IGNORECASE)
# "May" and "March" alone are months only where something says so.
_SAYS_MONTH = regex.compile(
    r"\b(?:in|of|since|by|until|till|last|next|early|late|mid|this|from|to|and|during|through)[\s-]+$", regex.I
)
_BARE_YEAR = regex.compile(rf"{_YEAR}(?!,\d{{3}}|\.\d)")


@functools.lru_cache(maxsize=4096)
def read_dates(text: str) -> tuple[DateRead, ...]:
    """Return the dates, weekdays and days named from the day of writing, in order. A bare year is a number."""
    plain = normalise(text)
    found = [one for match in _DATE.finditer(plain) for one in _read(match, plain)]
    taken = {place for one in found for place in range(one.span.start, one.span.end)}
    found.extend(
        DateRead(Span(*match.span()), relative=" ".join(match.group().casefold().split()))
        for match in _RELATIVE.finditer(plain)
        if match.start() not in taken
    )
    return tuple(sorted(found, key=lambda one: one.span))


def date_spans(text: str) -> list[Span]:
    """Return the places of the dates of a text."""
    return [one.span for one in read_dates(text)]


def years_of(text: str) -> set[int]:
    """Return the years that a text names, alone or in a date."""
    dated = {day.year for one in read_dates(text) for day in one.options if day.year is not None}
    return dated | {int(match.group()) for match in _BARE_YEAR.finditer(normalise(text))}


def missing_dates(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the dates of the statement that no source states; a fuller date states a partial one."""
    stated = [one for source in sources for one in read_dates(source)]
    days = [day for one in stated for day in one.options]
    years = set().union(*(years_of(source) for source in sources)) if sources else set()
    return [
        Fact("date", one.span.of(statement), one.span)
        for one in read_dates(statement)
        if not _is_stated(one, stated, days, years)
    ]


def _is_stated(one: DateRead, stated: Sequence[DateRead], days: Sequence[Day], years: set[int]) -> bool:
    if one.relative:
        return any(one.relative == other.relative for other in stated)
    if one.weekday is not None:
        return any(one.weekday == other.weekday for other in stated) or one.weekday in map(_weekday_of, days)
    return any(_is_given(option, days, years) for option in one.options)


def _is_given(asked: Day, days: Sequence[Day], years: set[int]) -> bool:
    if any(day.meets(asked) for day in days):
        return True
    if asked.month is None:
        return asked.year in years
    # "In 2025 … on 16 April": the only year there is.
    without_year = Day(None, asked.month, asked.day)
    return years == {asked.year} and any(day.year is None and day.meets(without_year) for day in days)


def _weekday_of(day: Day) -> int | None:
    if day.year is None or day.month is None or day.day is None:
        return None
    return datetime.date(day.year, day.month, day.day).weekday()


def _read(match: regex.Match[str], plain: str) -> Iterator[DateRead]:
    span = Span(*match.span())
    year = _number(match["y"])
    if match["weekday"]:
        named = match["han_weekday"]
        written = match["weekday"].casefold()
        weekday = _CHINESE_WEEKDAYS[named] if named else _WEEKDAYS.get(written, _WEEKDAYS.get(written.rstrip("s")))
        yield DateRead(span, weekday=weekday)
    elif match["undecided"]:
        year = 2000 + year if year is not None and year < 100 else year
        first, second = int(match["a"]), int(match["b"])
        options = (Day(year, second, first), Day(year, first, second))
        yield from _dated(span, *(option for option in options if _exists(option)))
    elif match["years"] and year is not None:
        end = int(match["z"])
        if end < 100 and end <= 12 and end != (year + 1) % 100:
            yield from _dated(span, Day(year, end))
        else:
            yield DateRead(span, (Day(year),))
            yield DateRead(span, (Day(year // 100 * 100 + end if end < 100 else end),))
    elif match["month"]:
        if match["lone"] and match["month"] in {"May", "March"} and not _SAYS_MONTH.search(plain, 0, match.start()):
            return
        month = _MONTHS[match["month"].casefold()]
        days = [_number(written) for written in (match["d"], match["last"]) if written] or [None]
        for day in days:
            yield from _dated(span, Day(year, month, day))
    else:
        yield from _dated(span, Day(year, _number(match["m"]), _number(match["d"])))


def _dated(span: Span, *options: Day) -> Iterator[DateRead]:
    if options and all(_exists(option) for option in options):
        yield DateRead(span, options)


def _exists(day: Day) -> bool:
    try:
        datetime.date(day.year or 2000, day.month or 1, day.day or 1)
    except ValueError:
        return False
    return True


def _number(written: str | None) -> int | None:
    return int(parse_chinese(written)) if written else None
