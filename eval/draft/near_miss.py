"""Questions about what a document names that no document seems to answer.

Words cannot prove that something is not stated. So a person is asked to look, and only what no word
hints at is proposed.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from tomllib import loads
from typing import Any

import regex

from bot.facts.dates import years_of
from bot.question import detect_language, to_script
from eval.draft.draft import Draft

_YEAR = regex.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_PLACE = (
    "Park|Cent(?:re|er)|University|College|Museum|Library|School|Hospital|Hotel|Station|Theat(?:re|er)|Church|Airport|"
    "Gallery|Zoo|Stadium"
)
_OFFICE = (
    "Office|Council|Institute|Company|Limited|Corporation|Department|Bureau|Club|Society|Association|Agency|Authority|"
    "Foundation|Laboratory"
)
_CAPITALISED = r"\p{Lu}[\p{L}\d'’&-]*"
# What a name must be for a property to be asked of it.
_NAMES = {
    "place": regex.compile(
        rf"(?:the )?(?:{_CAPITALISED} )+(?:{_PLACE})|\p{{Han}}{{2,12}}(?:館|馆|校|園|园|院|中心|酒店|站)"
    ),
    "institution": regex.compile(
        rf"(?:the )?(?:{_CAPITALISED} |of |and |for |the )+(?:{_PLACE}|{_OFFICE})"
        r"|\p{Han}{2,12}(?:館|馆|院|校|學|学|局|處|处|署|中心|公司|機構|机构|酒店|站|協會|协会)"
    ),
    "thing": regex.compile(rf"the {_CAPITALISED}(?: .*)?"),
    "anything": regex.compile(rf"(?:the )?{_CAPITALISED}(?: .*)?|(?:(?![的之])\p{{Han}}){{3,14}}"),
}


def propose_near_misses(drafts: Sequence[Draft], texts: Mapping[str, str]) -> Iterator[Draft]:
    """Yield unanswerable questions near to answerable ones.

    Args:
        drafts: Questions that the documents answer.
        texts: Every document that is looked at, by id.
    """
    known = set().union(*(years_of(text) for text in texts.values())) if texts else set()
    for draft in drafts:
        yield from _other_year(draft, known)
        if draft.subject:
            yield from _other_property(draft, texts)


def _other_property(draft: Draft, texts: Mapping[str, str]) -> Iterator[Draft]:
    language = detect_language(draft.subject)
    named = [text for text in texts.values() if _mentions(text, draft.subject)]
    for row in _properties()["english" if language == "en" else "chinese"]:
        is_of_kind = _NAMES[row["of"]].fullmatch(draft.subject) is not None
        if is_of_kind and not any(_hints(text, tuple(row["words"])) for text in named):
            question = to_script(row["question"].format(name=draft.subject), language)
            yield Draft("near_miss", question, (), draft.sources, draft.subject)


def _other_year(draft: Draft, known: set[int]) -> Iterator[Draft]:
    """Yield the question for a year that no document names."""
    years = list(_YEAR.finditer(draft.question))
    if len(years) != 1 or draft.kind == "comparison":
        return
    year = int(years[0].group())
    other = next(
        (year + step for step in (3, -3, 5, -5, 7) if not {year + step - 1, year + step, year + step + 1} & known), None
    )
    if other is not None:
        question = _YEAR.sub(str(other), draft.question)
        yield Draft("near_miss", question, (), draft.sources, draft.subject)


def _mentions(text: str, name: str) -> bool:
    return " ".join(name.removeprefix("the ").casefold().split()) in " ".join(text.casefold().split())


@functools.lru_cache(maxsize=4096)
def _hints(text: str, words: tuple[str, ...]) -> bool:
    patterns = (word if regex.search(r"\p{Han}", word) else rf"\b{word}" for word in words)
    return regex.search("|".join(patterns), text, regex.IGNORECASE) is not None


@functools.cache
def _properties() -> dict[str, list[dict[str, Any]]]:
    return loads(files("eval.draft").joinpath("near_miss.toml").read_text(encoding="utf-8"))
