"""Changes of one thing that make a true statement false: plain replacements, without the code that is to catch them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

_NUMBER = re.compile(r"(?<![\d.,:/\w-])\d[\d,]*(?:\.\d+)?(?![\d:/-]|[.,]\d| ?[ap]\.?m\b|\w)|(?<=\$)\d[\d,.]*\d")
MONTHS = "January February March April May June July August September October November December".split()
WORDS = "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty sixty".split()
_HAN = "二三四五六七八九"
_UNITS = (("metres", "miles"), ("kilometres", "metres"), ("weeks", "days"), ("litres", "gallons"), ("years", "months"),
          ("million litres", "million gallons"))  # fmt: skip


def each_of(*changes: Callable[[str], Iterator[str]]) -> Callable[[str], Iterator[str]]:
    """Return a change that makes all that these make."""

    def change(sentence: str) -> Iterator[str]:
        for one in changes:
            yield from one(sentence)

    return change


def swap(*pairs: tuple[str, str], flags: int = 0) -> Callable[[str], Iterator[str]]:
    """Return a change that puts the second of a pair for the first, once for every place."""

    def change(sentence: str) -> Iterator[str]:
        for pattern, other in pairs:
            for match in re.finditer(pattern, sentence, flags):
                yield sentence[: match.start()] + match.expand(other) + sentence[match.end() :]

    return change


def both(*pairs: tuple[str, str], after: str = "") -> Callable[[str], Iterator[str]]:
    """Return a change of whole words, either for the other."""
    ways = [(rf"{after}\b{one}\b", other) for pair in pairs for one, other in (pair, pair[::-1])]
    return swap(*ways)


def swap_han(*pairs: tuple[str, str]) -> Callable[[str], Iterator[str]]:
    return swap(*((one, other) for pair in pairs for one, other in (pair, pair[::-1])))


def _change_number(sentence: str) -> Iterator[str]:
    for match in _NUMBER.finditer(sentence):
        digits = match.group()
        yield sentence[: match.start()] + str((int(digits[0]) + 1) % 9 + 1) + digits[1:] + sentence[match.end() :]


def change_word(words: str | list[str], bounds: str) -> Callable[[str], Iterator[str]]:
    ring = list(words)
    ways = [(bounds.format(one), other) for one, other in zip(ring, ring[1:] + ring[:1], strict=True)]
    return swap(*ways)


def _change_year(sentence: str) -> Iterator[str]:
    for match in re.finditer(r"(?<![\d.,$])(?:1[89]|20)\d\d(?![\d,.]\d|\d)", sentence):
        yield sentence[: match.start()] + str(int(match.group()) + 3) + sentence[match.end() :]


def _change_time(sentence: str) -> Iterator[str]:
    for match in re.finditer(r"\b(\d{1,2}):(\d\d)\b", sentence):
        hour, minute = int(match[1]), int(match[2])
        yield sentence[: match.start()] + f"{hour % 12 + 1}:{minute:02}" + sentence[match.end() :]


def _double_trap(sentence: str) -> Iterator[str]:
    """Put a second "not" into a sentence that has one, or take one away of two."""
    if len(re.findall(r"\b(?:not|never|no|none|without)\b", sentence)) >= 1:
        yield from swap((r"\b(is|are|was|were|will|must)\b(?! not| never| only|n't)", r"\1 not"))(sentence)
        yield from swap((r"\bnot without\b", "without"), (r"\bnot without\b", "not"))(sentence)
    if len(re.findall(r"[不沒没未]", sentence)) >= 1:
        yield from swap((r"(?<![不沒没未])(可|獲|获|開放|开放|負責|负责)", r"不\1"))(sentence)


def _add(english: str, chinese: str) -> Callable[[str], Iterator[str]]:
    """Return a change that adds a claim in the language of the sentence."""

    def change(sentence: str) -> Iterator[str]:
        yield sentence.rstrip(".。") + (english if sentence.endswith(".") else chinese)

    return change


ALTERATIONS: dict[str, Callable[[str], Iterator[str]]] = {
    "sum or count": _change_number,
    "scale": each_of(both(("million", "billion"), ("thousand", "hundred")), swap_han(("億", "萬"), ("亿", "万"))),
    "currency": each_of(
        swap((r"HK\$", "US$"), ("£", "€"), ("€", "£"), (r"(?<![A-Z])\$(?=\d)", "£")),
        swap(("港元", "美元"), (r"(?<=[\d億亿萬万十])元", "英鎊")),
    ),
    "unit": each_of(
        both(*_UNITS, after=r"(?<=\d )"),
        *(both(*_UNITS, after=rf"(?<=\b{word} )") for word in WORDS),
        swap((r"(?<=\d)%", " people"), ("公里", "公尺"), ("分鐘", "小時"), ("分钟", "小时"), (r"(?<=\d)米", "公里")),
    ),
    "number word": change_word(WORDS, r"\b{}\b"),
    "Chinese numeral": change_word(_HAN, r"(?<![\d星期周拜第]){}(?=[層层名期家間间千百十萬万億亿成位座個个])"),
    "year": _change_year,
    "month": change_word(MONTHS, r"(?<=[\d,] ){0}\b|\b{0}(?= \d)|(?<=in ){0}\b"),
    "day": swap((r"(?<=\d月)(\d)(?=日)", r"1\1"), (r"\b(\d)(?= (?:" + "|".join(MONTHS) + "))", r"2\1")),
    "weekday": each_of(
        both(("Monday", "Wednesday"), ("Tuesday", "Saturday"), ("Thursday", "Sunday"), ("Friday", "Monday")),
        swap(("星期一", "星期三")),
    ),
    "time": _change_time,
    "half of the day": each_of(swap((r"(?<=\d) ?am\b", " pm"), (r"(?<=\d) ?pm\b", " am")), swap_han(("上午", "下午"))),
    "not inserted": swap(
        (r"\b(is|are|was|were|will|has|have|had|can|does|did)\b(?! not| no |n't| never| only|\?)", r"\1 not"),
        (r"(?<![不沒没未])(預留|预留|資助|资助|舉行|举行|負責|负责|落成)", r"沒有\1"),
    ),
    "not removed": swap(
        (r"\b(is|are|was|were|will|has|have|had|can|does|did|may|could|would|should|must|do) not (?!only)", r"\1 "),
        (r"\b(is|are|was|were|has|have|does|did|could|would|should)n['’]t\b", r"\1"),
        (r"(?<=[會会期一])不(?=[會会開开處处])|(?<=[，、也])沒有|(?<=[席院])没有", ""),
        (r"\bwithout\b", "with"),
        (r"\bnever ", ""),
    ),
    "double negation": _double_trap,
    "bound": each_of(
        both(("at least", "at most"), ("At least", "At most"), ("more than", "fewer than"), ("more than", "less than")),
        swap_han(("至少", "最多"), ("以上", "以下")),
    ),
    "before or after": each_of(
        both(("before", "after"), ("Before", "After")), swap_han(("之前", "之後"), ("之前", "之后"), ("日前", "日後"))
    ),
    "direction of change": each_of(
        both(("increased", "decreased"), ("rose", "fell"), ("increase", "decrease"), ("higher", "lower")),
        swap_han(("上升", "下降")),
    ),
    "claim added, with a name": _add(", and the King of Bhutan paid for it.", "，並獲「藍鯨集團」贊助。"),
    "claim added, no name": _add(", which made neighbours jealous.", "，鄰居十分妒忌。"),
    "claim added, a number": _add(", which took 917 workers.", "，動用917名工人。"),
    "Chinese name from elsewhere": swap(("陳美玲|林志遠|王建国|林志远", "歐陽文"), ("台北|高雄|北京|上海", "大阪")),
}
