"""Questions made from two drafts: which of two amounts is larger, and what is asked next."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import combinations, permutations

import regex

from bot.facts.normal_form import is_ideographic
from bot.question import detect_language, to_script
from eval.draft.draft import Draft
from eval.wording import shows

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
