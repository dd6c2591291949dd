"""Questions about what a document names that no document seems to answer.

Words cannot prove that something is not stated. So a person is asked to look, and only what no word
hints at is proposed.

Questions made from two drafts: which of two amounts is larger, and what is asked next.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import combinations, permutations
from tomllib import loads
from typing import Any

import regex

from bot.stages.question.clean import detect_language, to_script
from bot.text.dates import years_of
from bot.text.fact import is_ideographic
from eval.drafts.draft import Draft
from eval.measures.correctness import shows

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
    return loads(files("eval.drafts").joinpath("near_miss.toml").read_text(encoding="utf-8"))


# Kinds whose expected phrases, one after another, read as an answer.
_SHORT_ANSWERS = frozenset({"numeric", "date", "who", "where", "list"})

_THING = regex.compile(r"the \p{L}.*")
_HAN_THING = regex.compile(r"\p{Han}{2,12}")


def propose_comparisons(drafts: Sequence[Draft]) -> Iterator[Draft]:
    """Yield questions which of two things has more, where the documents give a number of the same kind for both."""
    measured = [draft for draft in drafts if draft.amount is not None]
    for one, other in combinations(measured, 2):
        assert one.amount is not None
        assert other.amount is not None
        first, second = one.amount, other.amount
        is_near = one.sources[0].document_id == other.sources[0].document_id
        if is_near and first.kind == second.kind and first.value != second.value and first.label != second.label:
            larger = one if first.value > second.value else other
            assert larger.amount is not None
            is_money = first.label.startswith("the sum ")
            if detect_language(first.label) != "en":
                question = to_script(f"{first.label}和{second.label}，哪個較多？", detect_language(first.label))
            elif is_money:
                question = f"Which is larger, {first.label} or {second.label}?"
            else:
                question = f"Which has more {first.kind}, {first.label} or {second.label}?"
            # Both names stand in the question, so only the number shows that the right one was chosen.
            yield Draft("comparison", question, larger.expect, (*one.sources, *other.sources))


def propose_follow_ups(drafts: Sequence[Draft]) -> Iterator[Draft]:
    """Yield questions that say "it" for what the question before them named, both about one thing."""
    by_subject: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        if draft.subject:
            by_subject[draft.subject].append(draft)
    for subject, about in by_subject.items():
        for before, after in permutations(about, 2):
            question = _with_pronoun(after.question, subject)
            answer = ", ".join(group[0] for group in before.expect)
            said = f"{before.question} {answer}"
            is_given_away = any(shows(said, phrase) for group in after.expect for phrase in group)
            if before.kind in _SHORT_ANSWERS and subject in before.question and question and not is_given_away:
                full_stop = "。" if is_ideographic(answer) else "."
                asked_before = (before.question, f"{answer}{full_stop}")
                yield Draft(
                    after.kind, question, after.expect, after.sources, asked_before=asked_before, also=after.also
                )


def _with_pronoun(question: str, subject: str) -> str:
    """Return the question with "it" for its subject, or nothing where that would be wrong."""
    if _HAN_THING.fullmatch(subject):
        return f"它{question.removeprefix(subject)}" if question.startswith(subject) else ""
    is_one_thing = _THING.fullmatch(subject) and question.count(subject) == 1 and not _is_many(question, subject)
    return question.replace(subject, "it") if is_one_thing else ""


def _is_many(question: str, subject: str) -> bool:
    """Return whether the subject is in the plural, for which "it" would be wrong; "do" and "have" may be either."""
    return regex.search(rf"\b(?:are|were|do|have) {regex.escape(subject)}", question) is not None
