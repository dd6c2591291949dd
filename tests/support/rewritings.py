"""Rewritings that leave a true statement true: other spellings, other formats, and a clause kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from tests.support.alterations import MONTHS, WORDS, swap


def _first_clause(sentence: str) -> Iterator[str]:
    """Keep a clause that stands by itself: before ", and/but" or "；"."""
    match = re.match(r"(.{25,}?)(?:, (?:and|but|with|which|including) |; |；)", sentence)
    if match and re.search(r"\b(?:is|are|was|were|has|have|had|will)\b", match[1]) and "if " not in sentence:
        yield match[1] + "."


def _first_of(change: Callable[[str], Iterator[str]]) -> Callable[[str], Iterator[str]]:
    def first(sentence: str) -> Iterator[str]:
        one = next(change(sentence), None)
        if one is not None and one != sentence:
            yield one

    return first


def _with_date(sentence: str) -> Iterator[str]:
    names = "|".join(MONTHS)
    for match in re.finditer(rf"(?<!to )\b(\d{{1,2}}) ({names}) (\d{{4}})\b", sentence):
        month = MONTHS.index(match[2]) + 1
        for other in (
            f"{match[2]} {match[1]}, {match[3]}",
            f"{match[3]}-{month:02}-{int(match[1]):02}",
            f"{int(match[1])} {match[2][:3]} {match[3]}",
        ):
            yield sentence[: match.start()] + other + sentence[match.end() :]
    for match in re.finditer(rf"\b({names}) (\d{{1,2}}), (\d{{4}})\b", sentence):
        yield sentence[: match.start()] + f"{match[2]} {match[1]} {match[3]}" + sentence[match.end() :]
    for match in re.finditer(r"(\d{4})年(\d{1,2})月(\d{1,2})日", sentence):
        yield sentence[: match.start()] + f"{match[1]}-{int(match[2]):02}-{int(match[3]):02}" + sentence[match.end() :]


_DIGITS = {word: str(value) for value, word in enumerate(WORDS[:11], 2)}
REWRITINGS: dict[str, Callable[[str], Iterator[str]]] = {
    "verbatim": lambda text: iter([text]),
    "shortened": _first_clause,
    "number word to digits": _first_of(swap(*((rf"(?<!-)\b{word}\b", digit) for word, digit in _DIGITS.items()))),
    "scale written short": _first_of(
        swap((r"(?<=[\d]) billion\b", "bn"), (r"(?<=[$£€]\d) million\b", "m"), (r"(\d[\d.]*) million\b", r"\1 mn"))
    ),
    "thousands without a comma": _first_of(swap((r"(?<![\d,])(\d{1,3}),(\d{3})\b(?!,)", r"\1\2"))),
    "percent spelled": _first_of(swap((r"(?<=\d)%", " percent"), (r"(?<=\d) percent\b", "%"))),
    "Chinese numeral to digits": _first_of(
        swap(
            ("一億二千萬", "1.2億"),
            ("一亿二千万", "1.2亿"),
            ("三千名", "3,000名"),
            ("八(?=[層层])", "8"),
            ("二十億", "20億"),
            ("四十元", "40元"),
            ("十二(?=[間家])", "12"),
            ("六成", "60%"),
            ("下午三時半", "15:30"),
            ("一九八七年", "1987年"),
        )
    ),
    "contracted": _first_of(
        swap((r"\b(is|are|was|were|does|did|has|have) not\b", r"\1n't"), (r"\b(is|was|does|did)n't\b", r"\1 not"))
    ),
    "date rewritten": _with_date,
    "time rewritten": _first_of(
        swap((r"\b7:15 am", "7.15 a.m."), (r"\b9:30 pm", "21:30"), (r"\b5 pm", "17:00"), (r"\b8 am", "8 o'clock"))
    ),
    "other script": _first_of(swap(("圖書館", "图书馆"), ("申請", "申请"), ("該公司", "该公司"), ("博物館", "博物馆"))),
}
