"""Versions of a document: recognised by a date, a version number or "draft" and "final", and ordered by these.

A series is only ordered if each of its documents states the same kinds of these, and no two state the same values.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import regex

from index.relations.duplicates import Signature, folded_words, resemblance

# Documents of one name with a lower resemblance are not versions but a diary, minutes or the like.
_LEAST_RESEMBLANCE = 0.2
_HEAD = 400  # characters, in which a heading such as "Effective 1 March 2024" is looked for
_SHORTEST_DATED = 50  # words; in a shorter text, such as a daily notice, a date does not identify a version
_CHINESE_NUMERALS = "零一二三四五六七八九十"
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_STAGES = (
    r"draft|草稿|草案|初稿|擬稿|拟稿",
    r"final|定稿|終稿|终稿|最終|最终",
)
_LETTER = regex.compile(r"\p{L}")
_SUFFIX = regex.compile(r"\.\p{L}\w*$")
_BEFORE, _AFTER = r"(?<![\p{L}\p{N}])", r"(?![\p{L}\p{N}])"
_YEAR = r"(?P<year>(?:19|20)\d\d)"
_DATE = regex.compile(
    rf"""{_YEAR}\s?年(?:度|\s?(?P<month>\d{{1,2}})\s?月(?:\s?份)?(?:\s?(?P<day>\d{{1,2}})\s?日)?)?
    |(?<!\d){_YEAR}[-_./\ ]?(?P<month>0[1-9]|1[0-2])(?:[-_./\ ]?(?P<day>0[1-9]|[12]\d|3[01]))?(?!\d)
    |(?<!\d){_YEAR}(?:[-/_](?:20)?\d\d(?!\d))?(?!\d)
    |(?:(?<!\d)(?P<day>\d{{1,2}})(?:st|nd|rd|th)?[-_\ ])?{_BEFORE}(?P<name>{"|".join(_MONTHS)})\p{{L}}*\.?[-_\ ]
        (?:(?P<day>\d{{1,2}}),?\s)?{_YEAR}(?!\d)""",
    regex.VERBOSE | regex.IGNORECASE,
)
_VERSION = regex.compile(
    rf"{_BEFORE}(?:v|ver|version|rev|revision|edition|ed)[-_.\s]*(?P<number>\d+(?:\.\d+)*){_AFTER}"
    rf"|第\s?(?P<number>\d+|[{_CHINESE_NUMERALS}])\s?[版稿]",
    regex.IGNORECASE,
)
_STAGE = regex.compile(
    "|".join(rf"{_BEFORE}(?:{words}){_AFTER}|(?:{words})(?=\p{{Han}}|$)" for words in _STAGES), regex.IGNORECASE
)


@dataclass(frozen=True, slots=True, order=True)
class Edition:
    """The attributes that identify a version in its series; of two with the same parts the newer is the greater.

    Attributes:
        date: Year, month and day as far as they are stated.
        version: Parts of a version number.
        stage: 1 for a draft, 2 for the final text, empty when neither is stated.
    """

    date: tuple[int, ...] = ()
    version: tuple[int, ...] = ()
    stage: tuple[int, ...] = ()

    def parts(self) -> tuple[bool, ...]:
        """Return which parts are stated: only editions with the same ones can be ordered."""
        return bool(self.date), bool(self.version), bool(self.stage)

    def is_meant_by(self, asked: Edition) -> bool:
        """Return whether the edition that a question names is this one: it has parts, and none that differs."""
        pairs = ((self.date, asked.date), (self.version, asked.version), (self.stage, asked.stage))
        named = [(own, other) for own, other in pairs if other]
        return bool(named) and all(own[: len(other)] == other for own, other in named)


@dataclass(frozen=True, slots=True)
class VersionCandidate:
    """A document that may be a version of others.

    Attributes:
        copies: Name of its group of near-duplicates, or "".
        dated: The edition by the date in the head of its text.
    """

    document_id: str
    title: str
    signature: Signature
    copies: str
    dated: Edition


def read_edition(text: str) -> tuple[Edition, str]:
    """Return the edition that a name or a question states, and the words of the text without it."""
    date, version, stage = _DATE.search(text), _VERSION.search(text), _STAGE.search(text)
    edition = Edition(_date(date), _version(version), _stage(stage))
    rest = text
    for match in (date, version, stage):
        if match:
            rest = rest.replace(match.group(), " ")
    return edition, " ".join(folded_words(rest))


def date_in_head(text: str) -> Edition:
    """Return the edition by the first date in the head of a text; nothing for a short text."""
    match = _DATE.search(text[:_HEAD])
    return Edition(_date(match)) if len(folded_words(text[: 10 * _HEAD])) >= _SHORTEST_DATED else Edition()


def find_series(candidates: Sequence[VersionCandidate]) -> dict[str, tuple[str, Edition]]:
    """Return the name of the series and the edition of each document that is part of a series.

    Documents of one name with different editions are a series if they resemble each other; near-duplicates of other
    names are one if each has another date in its head.
    """
    named: dict[tuple[str, tuple[bool, ...]], list[tuple[Edition, VersionCandidate]]] = defaultdict(list)
    for candidate in candidates:
        edition, rest = _named_edition(candidate)
        if any(edition.parts()) and len(_LETTER.findall(rest)) > 1:
            named[rest, edition.parts()].append((edition, candidate))
    series = {}
    for (rest, _), members in sorted(named.items()):
        if _is_ordered(members) and _resemble_each_other(members):
            series.update({candidate.document_id: (f"name:{rest}", edition) for edition, candidate in members})
    known = {candidate.document_id for members in named.values() if len(members) > 1 for _, candidate in members}
    alike: dict[str, list[tuple[Edition, VersionCandidate]]] = defaultdict(list)
    for candidate in candidates:
        if candidate.copies and candidate.dated.date and candidate.document_id not in known:
            alike[candidate.copies].append((candidate.dated, candidate))
    for copies, members in alike.items():
        if _is_ordered(members) and len({len(edition.date) for edition, _ in members}) == 1:
            series.update({candidate.document_id: (f"text:{copies}", edition) for edition, candidate in members})
    return series


def _named_edition(candidate: VersionCandidate) -> tuple[Edition, str]:
    edition, rest = read_edition(_SUFFIX.sub("", candidate.document_id))
    return (edition, rest) if any(edition.parts()) else read_edition(candidate.title)


def _is_ordered(members: Sequence[tuple[Edition, VersionCandidate]]) -> bool:
    editions = {edition for edition, _ in members}
    return len(members) > 1 and len(editions) == len(members)


def _resemble_each_other(members: Sequence[tuple[Edition, VersionCandidate]]) -> bool:
    """Return whether most members resemble their predecessor."""
    ordered = [candidate for _, candidate in sorted(members, key=lambda member: member[0])]
    alike = [resemblance(one.signature, other.signature) >= _LEAST_RESEMBLANCE for one, other in pairwise(ordered)]
    return 2 * sum(alike) > len(alike)


def _date(match: regex.Match[str] | None) -> tuple[int, ...]:
    if match is None:
        return ()
    month = _MONTHS.index(match["name"].casefold()) + 1 if match["name"] else int(match["month"] or 0)
    parts = (int(match["year"]), month, int(match["day"] or 0))
    return parts[: parts.index(0)] if 0 in parts else parts


def _version(match: regex.Match[str] | None) -> tuple[int, ...]:
    if match is None:
        return ()
    number = match["number"]
    if number in _CHINESE_NUMERALS:
        return (_CHINESE_NUMERALS.index(number),)
    return tuple(int(part) for part in number.split("."))


def _stage(match: regex.Match[str] | None) -> tuple[int, ...]:
    if match is None:
        return ()
    return (next(place for place, words in enumerate(_STAGES, 1) if regex.fullmatch(words, match.group(), regex.I)),)
