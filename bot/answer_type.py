"""What kind of thing a question asks for, and whether a sentence holds a thing of that kind."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files

import regex

from bot.facts.quantity import read_quantities
from bot.facts.units import is_currency


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
    r"|(?:[幾几]|多少)(?:個|个|間|间|座|位|名|所|家)",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Patterns:
    asks: regex.Pattern[str]
    holds: regex.Pattern[str]


@functools.lru_cache(maxsize=1)
def _patterns() -> dict[AnswerType, _Patterns]:
    tables = tomllib.loads(files("bot").joinpath("answer_types.toml").read_text(encoding="utf-8"))
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
    """Return whether a text holds what a question of a kind asks for; sums and shares count no things."""
    if kind is AnswerType.NUMBER and _COUNTS.search(question):
        numbers = [one for one in read_quantities(text) if one.values and not one.is_ordinal and not one.is_article]
        return any(not is_currency(one.unit) and one.unit != "percent" for one in numbers)
    return holds_type(text, kind)
