"""A language model words a drafted question; its line is used only when it asks the same and gives nothing away."""

from __future__ import annotations

import functools
from dataclasses import replace
from importlib.resources import files
from tomllib import loads

from bot.answer_type import AnswerType, expected_type
from bot.consult import Consultation
from bot.facts import missing_facts
from bot.question import detect_language
from eval.draft.draft import Draft
from eval.wording import shows
from index.words import content_words, iterate_words
from prompts.replies import placeholders

_LONGEST = 200
_PLACEHOLDERS: dict[str, set[str]] = {"system": set(), "question": {"sentence", "answer", "question"}}


def reword(draft: Draft, consultation: Consultation) -> Draft:
    """Return the draft with the question as the model words it, or as it was.

    A follow-up, a comparison and a near miss stay as they are: what makes them one is in their words.

    Raises:
        ModelUnavailableError: The model cannot be used.
    """
    if draft.asked_before or len(draft.sources) > 1 or draft.is_near_miss:
        return draft
    sentence = draft.sources[0].flat()
    answer = "; ".join(group[0] for group in draft.expect)
    request = _prompts()["question"].format(sentence=sentence, answer=answer, question=draft.question)
    line = consultation.write_line(_prompts()["system"], request)
    return replace(draft, question=line) if asks_the_same(draft, line) else draft


def asks_the_same(draft: Draft, line: str) -> bool:
    """Return whether a line asks what a draft asks, from the same words, without a word of the answer."""
    sentence = draft.sources[0].flat()
    kind = expected_type(draft.question)
    if (
        not line.endswith(("?", "？"))
        or len(line) > _LONGEST
        or detect_language(line) != detect_language(draft.question)
    ):
        return False
    if kind not in (AnswerType.OTHER, expected_type(line)) or missing_facts(line, [sentence, draft.question]):
        return False
    if any(shows(line, phrase) for group in draft.expect for phrase in group):
        return False
    known = {word.key for text in (sentence, draft.question) for word in iterate_words(text)}
    new = [word.key for word in content_words(line) if word.key not in known]
    kept = {word.key for word in content_words(draft.question)} & {word.key for word in iterate_words(line)}
    return len(new) <= 1 and bool(kept)


@functools.cache
def _prompts() -> dict[str, str]:
    """Return the prompts.

    Raises:
        ValueError: One lacks a placeholder, which would silently leave the sentence out.
    """
    texts: dict[str, str] = loads(files("eval.draft").joinpath("wording.toml").read_text(encoding="utf-8"))["wording"]
    if {name: placeholders(text) for name, text in texts.items()} != _PLACEHOLDERS:
        raise ValueError("wording.toml has not the placeholders that the code fills in")
    return texts
