"""Questions derived from drafts: near misses, comparisons of two amounts, and follow-ups.

A near miss asks about something that a document names, but that no document seems to state. Words cannot prove that,
so a person is asked to look, and only what no word hints at is proposed.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from itertools import combinations, permutations
from tomllib import loads

import regex

from bot.stages.question.clean import detect_language, to_script
from bot.text.dates import years_of
from bot.text.fact import is_ideographic
from eval.drafts.question_draft import QuestionDraft
from eval.measures.correctness import shows

_YEAR = regex.compile(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_TABLE = loads(files("eval.drafts").joinpath("near_miss.toml").read_text(encoding="utf-8"))
# What a name must be for a property to be asked of it.
_NAMES = {kind: regex.compile(pattern, regex.VERBOSE) for kind, pattern in _TABLE["names"].items()}
# Kinds whose expected phrases, one after another, read as an answer.
_SHORT_ANSWERS = frozenset({"numeric", "date", "who", "where", "list"})
_THING = regex.compile(r"the \p{L}.*")
_HAN_THING = regex.compile(r"\p{Han}{2,12}")


def propose_near_misses(drafts: Sequence[QuestionDraft], texts: Mapping[str, str]) -> Iterator[QuestionDraft]:
    """Yield unanswerable questions near to answerable ones.

    Args:
        drafts: Questions that the documents answer.
        texts: Every document that is looked at, by id.
    """
    known = set().union(*map(years_of, texts.values()))
    for draft in drafts:
        questions = [*_other_year(draft, known), *_other_property(draft.subject, texts)]
        yield from (QuestionDraft("near_miss", question, (), draft.sources, draft.subject) for question in questions)


def _other_property(name: str, texts: Mapping[str, str]) -> Iterator[str]:
    """Yield questions for properties of a named thing at which no document that names it hints."""
    if not name:
        return
    language = detect_language(name)
    naming = [text for text in texts.values() if _folded(name.removeprefix("the ")) in _folded(text)]
    for row in _TABLE["english" if language == "en" else "chinese"]:
        if _NAMES[row["of"]].fullmatch(name) and not any(_hints(text, tuple(row["words"])) for text in naming):
            yield to_script(row["question"].format(name=name), language)


def _other_year(draft: QuestionDraft, known: set[int]) -> Iterator[str]:
    """Yield the question for a year that no document names."""
    years = _YEAR.findall(draft.question)
    if len(years) == 1 and draft.kind != "comparison":
        near = [int(years[0]) + step for step in (3, -3, 5, -5, 7)]
        free = [year for year in near if not {year - 1, year, year + 1} & known]
        yield from (_YEAR.sub(str(year), draft.question) for year in free[:1])


@functools.lru_cache(maxsize=4096)
def _folded(text: str) -> str:
    return " ".join(text.casefold().split())


@functools.lru_cache(maxsize=4096)
def _hints(text: str, words: tuple[str, ...]) -> bool:
    patterns = (word if is_ideographic(word) else rf"\b{word}" for word in words)
    return regex.search("|".join(patterns), text, regex.IGNORECASE) is not None


def propose_comparisons(drafts: Sequence[QuestionDraft]) -> Iterator[QuestionDraft]:
    """Yield questions which of two things has more, where a document gives a number of the same kind for both."""
    measured = [(draft, draft.amount) for draft in drafts if draft.amount]
    for (one, first), (other, second) in combinations(measured, 2):
        is_near = one.sources[0].document_id == other.sources[0].document_id
        if is_near and first.kind == second.kind and first.value != second.value and first.label != second.label:
            language = detect_language(first.label)
            if language != "en":
                question = to_script(f"{first.label}和{second.label}，哪個較多？", language)
            elif first.label.startswith("the sum "):
                question = f"Which is larger, {first.label} or {second.label}?"
            else:
                question = f"Which has more {first.kind}, {first.label} or {second.label}?"
            # Both names stand in the question, so only the number shows that the right one was chosen.
            larger = one if first.value > second.value else other
            yield QuestionDraft("comparison", question, larger.expect, (*one.sources, *other.sources))


def propose_follow_ups(drafts: Sequence[QuestionDraft]) -> Iterator[QuestionDraft]:
    """Yield questions that say "it" for what the question before them named, both about one thing."""
    by_subject: dict[str, list[QuestionDraft]] = defaultdict(list)
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
                turns = (before.question, f"{answer}{'。' if is_ideographic(answer) else '.'}")
                yield QuestionDraft(
                    after.kind, question, after.expect, after.sources, asked_before=turns, also=after.also
                )


def _with_pronoun(question: str, subject: str) -> str:
    """Return the question with "it" for its subject, or nothing where that would be wrong."""
    if _HAN_THING.fullmatch(subject):
        return f"它{question.removeprefix(subject)}" if question.startswith(subject) else ""
    # "do" and "have" may come before one thing, but mostly come before several.
    is_many = regex.search(rf"\b(?:are|were|do|have) {regex.escape(subject)}", question)
    is_one_thing = _THING.fullmatch(subject) and question.count(subject) == 1 and not is_many
    return question.replace(subject, "it") if is_one_thing else ""
