"""The words of the page in three languages, and which of them a reader gets."""

from __future__ import annotations

import datetime
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parent / "texts"
_TRADITIONAL_REGIONS = {"hk", "tw", "mo", "hant"}


@dataclass(frozen=True, slots=True)
class Texts:
    """All words of the page in one language.

    Attributes:
        code: Language tag as HTML wants it: `en`, `zh-Hant` or `zh-Hans`.
        entries: Words by key, as read from the language's file.
    """

    code: str
    entries: Mapping[str, Any]

    def __call__(self, key: str, **values: object) -> str:
        """Return the words of a key with their placeholders filled."""
        return str(self.entries[key]).format(**values)

    def count(self, key: str, count: int) -> str:
        """Return the words of a key for a number of things."""
        return self(f"{key}_{'one' if count == 1 else 'other'}", count=count)

    def date(self, day: datetime.date) -> str:
        """Return a day as it is written in this language."""
        return self("date", day=day.day, month=self.entries["months"][day.month - 1], year=day.year)

    def indexed(self, day: datetime.date, today: datetime.date) -> str:
        """Return when the index was built, in the fewest words that are clear."""
        if day == today:
            return self("indexed_today")
        if day == today - datetime.timedelta(days=1):
            return self("indexed_yesterday")
        return self("indexed_on", date=self.date(day))


def load_languages() -> dict[str, Texts]:
    """Return the texts by language code, English first."""
    files = [tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")) for name in ("en", "zh_hant", "zh_hans")]
    return {entries["code"]: Texts(entries["code"], entries) for entries in files}


LANGUAGES = load_languages()


def choose_language(chosen: str | None, accept_language: str = "") -> Texts:
    """Return the texts for a reader: their own choice, else the first language of their browser that we speak."""
    if chosen in LANGUAGES:
        return LANGUAGES[chosen]
    for tag in _by_preference(accept_language):
        primary, *rest = tag.lower().split("-")
        if primary == "zh":
            return LANGUAGES["zh-Hant" if _TRADITIONAL_REGIONS & set(rest) else "zh-Hans"]
        if primary in ("yue", "en"):
            return LANGUAGES["en" if primary == "en" else "zh-Hant"]
    return LANGUAGES["en"]


def _by_preference(accept_language: str) -> list[str]:
    """Return the tags of an `Accept-Language` header (RFC 9110, 12.5.4), most wanted first."""
    weighted = []
    for entry in accept_language[:500].split(","):
        tag, _, parameter = entry.strip().partition(";")
        try:
            weight = float(parameter.strip().removeprefix("q=") or 1)
        except ValueError:
            weight = 0.0
        weighted.append((weight, tag))
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if tag and weight > 0]
