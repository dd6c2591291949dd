"""Times of day: "5:55 am", "17:30", "half past five", 下午五時半."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bot.text.fact import Fact, normalise
from bot.text.numerals import ENGLISH, parse_chinese
from index.document import Span

_HALF_DAY = 12 * 60


@dataclass(frozen=True, slots=True)
class TimeRead:
    """A time of day in a text: its place and the minutes after midnight it may mean."""

    span: Span
    minutes: frozenset[int]


_HOUR_WORD = "|".join(word for word, value in ENGLISH.items() if 1 <= value <= 12)
_HAN = "[一二两三四五六七八九十]"
_PERIOD = r"(?:\s*(?P<period>[ap]\.?m\b\.?|[ap]\.m\.|(?:in\sthe\s(?:morning|afternoon|evening)|at\snight)\b))"
_TIME = regex.compile(
    rf"""(?<![\d:.,])(?P<hour>[01]?\d|2[0-3]):(?P<minute>[0-5]\d)(?::[0-5]\d)?(?![\d:]){_PERIOD}?
    |(?<![\d:.,])(?P<hour>[01]?\d)\.(?P<minute>[0-5]\d)(?!\d){_PERIOD}
    |(?<![\d:.,$])(?P<hour>[01]?\d)(?!\d){_PERIOD}
    |\b(?P<hour>[01]?\d|{_HOUR_WORD})\s?o'clock{_PERIOD}?
    |\b(?P<shift>half|quarter)\s(?P<side>past|to)\s(?P<hour>\d\d?|{_HOUR_WORD})\b{_PERIOD}?
    |\b(?P<word>noon|midday|midnight)\b
    |(?P<han_period>上午|下午|早上|晚上|中午|凌晨|傍晚|清晨)?(?P<hour>(?<!\d)\d{{1,2}}|{_HAN}{{1,3}})
        (?:(?P<sign>时)(?![间期代候刻机])|(?P<sign>点))(?:(?P<minute>\d{{1,2}}|{_HAN}{{1,3}})分?|(?P<half>半)|(?P<exact>正|整|钟))?""",
    regex.VERBOSE | regex.IGNORECASE,
)


@functools.lru_cache(maxsize=4096)
def read_times(text: str) -> tuple[TimeRead, ...]:
    """Return the times of day of a text, in order."""
    found = []
    for match in _TIME.finditer(normalise(text)):
        # 三点 is "three points" unless something says that it is a time.
        says_time = match["han_period"] or match["half"] or match["exact"] or match["minute"]
        if match["sign"] == "点" and not says_time:
            continue
        if minutes := _minutes(match):
            found.append(TimeRead(Span(*match.span()), minutes))
    return tuple(found)


def time_spans(text: str) -> list[Span]:
    """Return the places of the times of day of a text."""
    return [one.span for one in read_times(text)]


def missing_times(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the times of the statement that no source states; an hour without half of the day may be either."""
    stated = [one for source in sources for one in read_times(source)]
    return [
        Fact("time", one.span.of(statement), one.span)
        for one in read_times(statement)
        if not any(one.minutes & other.minutes for other in stated)
    ]


def _minutes(match: regex.Match[str]) -> frozenset[int]:
    if match["word"]:
        return frozenset((0 if match["word"].casefold() == "midnight" else _HALF_DAY,))
    written = match["hour"]
    hour = ENGLISH.get(written.casefold()) or int(parse_chinese(written))
    minute = int(parse_chinese(match["minute"])) if match["minute"] else 30 if match["half"] else 0
    if match["shift"]:
        away = 30 if match["shift"].casefold() == "half" else 15
        minute = away if match["side"].casefold() == "past" else -away
    if hour > 24 or minute > 59:
        return frozenset()
    period = (match["period"] or match["han_period"] or "").casefold()
    if not period:
        is_decided = hour > 12 or hour == 0 or (written.startswith("0") and len(written) == 2)
        starts = {hour * 60} if is_decided else {hour % 12 * 60, hour % 12 * 60 + _HALF_DAY}
    elif period[0] == "p" or any(
        word in period for word in ("afternoon", "evening", "night", "下午", "晚", "中午", "傍晚")
    ):
        starts = {hour % 12 * 60 + _HALF_DAY if hour <= 12 else hour * 60}
    else:
        starts = {hour % 12 * 60}
    return frozenset((start + minute) % (2 * _HALF_DAY) for start in starts)
