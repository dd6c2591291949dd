"""What kind of thing a question asks for, and whether a sentence holds a thing of that kind."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

import regex

from bot.text.dates import date_spans
from bot.text.quantity import is_currency, read_quantities
from bot.text.times import time_spans


class AnswerType(StrEnum):
    """The kind of thing that would answer a question."""

    MONEY = "money"
    NUMBER = "number"
    DATE = "date"
    PERSON = "person"
    PLACE = "place"
    REASON = "reason"
    OTHER = "other"


# "How many dollars" asks for money, "how many percent" for a share; everything else that is counted has neither unit.
_COUNTS = regex.compile(
    r"\bhow many (?!(?:us |hong kong |hk )?(?:dollars|pounds|euros|yuan|percent|cents)\b)"
    r"|(?:[幾几]多?|多少)(?:個|个|間|间|座|位|名|所|家)",
    regex.IGNORECASE,
)
# A count that is no number: "only a few", "none of them".
_WITHOUT_A_NUMBER = regex.compile(
    r"\b(?:an?|only|just|the)\s(?:few|couple|single|handful|dozens?)\b|\bone\b(?!\s+of\b)"
    r"|\b(?:none|nobody|no one|several|countless|dozens|hundreds|thousands|millions|billions)\b"
    r"|(?:沒有|没有|若干|數[百千萬]|数[百千万])",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Patterns:
    asks: regex.Pattern[str]
    holds: regex.Pattern[str]


@functools.lru_cache(maxsize=1)
def _patterns() -> dict[AnswerType, _Patterns]:
    tables = tomllib.loads(files("bot.stages.question").joinpath("answer_types.toml").read_text(encoding="utf-8"))
    return {AnswerType(name): _Patterns(_join(table["asks"]), _join(table["holds"])) for name, table in tables.items()}


def _join(alternatives: list[str]) -> regex.Pattern[str]:
    return regex.compile("|".join(f"(?:{alternative})" for alternative in alternatives), regex.IGNORECASE)


def expected_type(question: str) -> AnswerType:
    """Return what kind of thing a question asks for."""
    return next((kind for kind, one in _patterns().items() if one.asks.search(question)), AnswerType.OTHER)


def holds_type(text: str, kind: AnswerType) -> bool:
    """Return whether a text holds a thing of that kind; anything holds `OTHER`."""
    return kind is AnswerType.OTHER or bool(_patterns()[kind].holds.search(text))


def may_answer(text: str, question: str, kind: AnswerType) -> bool:
    """Return whether a text holds what a question of a kind asks for; sums of money count no things."""
    if _asks_to_count(question, kind):
        numbers = [one for one in read_quantities(text) if one.values and not one.is_ordinal and not one.is_article]
        return any(not is_currency(one.unit) for one in numbers) or bool(_WITHOUT_A_NUMBER.search(text))
    return holds_type(text, kind) or (kind is AnswerType.DATE and bool(date_spans(text) or time_spans(text)))


def must_hold(question: str, kind: AnswerType) -> bool:
    """Return whether only a text that holds the kind can answer: a time for "when", a count for "how many"."""
    return kind is AnswerType.DATE or _asks_to_count(question, kind)


def _asks_to_count(question: str, kind: AnswerType) -> bool:
    return kind is AnswerType.NUMBER and bool(_COUNTS.search(question))
