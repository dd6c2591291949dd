"""The page's texts in three languages, and what a request says about its reader: language, theme and visitor.

A visitor is the hash of a random secret in a cookie, which identifies no person.
"""

from __future__ import annotations

import datetime
import secrets
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import regex
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from bot.stages.question.clean import detect_language
from index.document import hash_text

_ENOUGH = 1_000  # characters
_LETTER = regex.compile(r"\p{L}")
_ASCII_LETTER = regex.compile(r"[A-Za-z]")
_KANA = regex.compile(r"[\p{Hiragana}\p{Katakana}]")
_TAGS = {"zh_hant": "zh-Hant", "zh_hans": "zh-Hans"}
_MOSTLY = 0.98


@lru_cache(maxsize=2_000)
def language_tag(text: str) -> str:
    """Return the language of a text as an HTML tag, empty if it is not recognised."""
    letters = len(_LETTER.findall(text))
    if not letters:
        return ""
    if _KANA.search(text):
        return "ja"
    found = detect_language(text)
    if found in _TAGS:
        return _TAGS[found]
    return "en" if len(_ASCII_LETTER.findall(text)) >= _MOSTLY * letters else ""


def lang(text: str) -> Markup:
    """Return the attributes `dir` and, if recognised, `lang` of a text."""
    tag = language_tag(text[:_ENOUGH])
    return Markup(' dir="auto" lang="{}"').format(tag) if tag else Markup(' dir="auto"')


LANGUAGE_COOKIE = "language"
THEME_COOKIE = "theme"


def texts_for(request: Request) -> Texts:
    """Return the page's texts in the language of the address, else of the reader."""
    chosen = request.query_params.get("language") or request.cookies.get(LANGUAGE_COOKIE)
    return choose_language(chosen, request.headers.get("accept-language", ""))


def theme_for(request: Request) -> str | None:
    """Return the reader's choice of `light` or `dark`; None leaves it to their system."""
    theme = request.cookies.get(THEME_COOKIE)
    return theme if theme in ("light", "dark") else None


_COOKIE = "footnote-visitor"
_ONE_YEAR = 365 * 24 * 3600


def visitor_of(cookies: Mapping[str, str]) -> str:
    """Return the visitor of a request by its cookies; empty without the cookie."""
    secret = cookies.get(_COOKIE, "")
    return hash_text("visitor", secret)[:32] if secret else ""


def remember_visitor(cookies: Mapping[str, str], response: Response, *, secure: bool) -> None:
    """Set the visitor's cookie, unless the browser has it."""
    if not cookies.get(_COOKIE):
        response.set_cookie(
            _COOKIE, secrets.token_urlsafe(24), max_age=_ONE_YEAR, httponly=True, samesite="lax", secure=secure
        )


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


def _load_languages() -> dict[str, Texts]:
    """Return the texts by language code, English first."""
    files = [tomllib.loads((_FOLDER / f"{name}.toml").read_text("utf-8")) for name in ("en", "zh_hant", "zh_hans")]
    return {entries["code"]: Texts(entries["code"], entries) for entries in files}


LANGUAGES = _load_languages()


def choose_language(chosen: str | None, accept_language: str = "") -> Texts:
    """Return the texts in the reader's choice, else in their browser's first language that the page has."""
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
