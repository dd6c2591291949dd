"""A language model words a drafted question; its line is used only when it asks the same and gives nothing away.

From documents to drafts: sentences that can be understood alone, and the questions they answer.
"""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from importlib.resources import files
from tomllib import loads

import regex

from bot.language_model.session import ModelSession
from bot.stages.question.answer_type import AnswerType, expected_type
from bot.stages.question.clean import detect_language
from bot.text.fact import is_ideographic
from bot.text.facts import missing_facts
from eval.drafts.chinese import propose_chinese
from eval.drafts.draft import Draft, Sentence
from eval.drafts.english import propose_english
from eval.drafts.near_miss import propose_comparisons, propose_follow_ups, propose_near_misses
from eval.measures.asked import occurrences
from eval.measures.correctness import shows
from index.text.sentences import split_sentences
from index.text.words import content_words, iterate_words
from prompts.replies import placeholders

_LONGEST = 200
_PLACEHOLDERS: dict[str, set[str]] = {"system": set(), "question": {"sentence", "answer", "question"}}


def reword(draft: Draft, consultation: ModelSession) -> Draft:
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
    texts: dict[str, str] = loads(files("eval.drafts").joinpath("wording.toml").read_text(encoding="utf-8"))["wording"]
    if {name: placeholders(text) for name, text in texts.items()} != _PLACEHOLDERS:
        raise ValueError("wording.toml has not the placeholders that the code fills in")
    return texts


_LENGTHS, _HAN_LENGTHS = range(30, 600), range(10, 200)
_LONGEST_QUESTION = 240
_SENTENCES_A_DOCUMENT = 400
# Footnote marks, table rows, links and formulas; and what the cells of a sheet could not hold.
_NO_PROSE = regex.compile(r"\t|https?:|www\.|[|{}<>=_#\[\]]|[\p{Cc}--\s]", regex.VERSION1)
_UNBALANCED = (("(", ")"), ("“", "”"), ("「", "」"), ("《", "》"))


def propose(texts: Mapping[str, str]) -> list[Draft]:
    """Return every question that can be drafted from documents, by id, in a fixed order."""
    plain = _merged(draft for document_id, text in texts.items() for draft in _answerable(document_id, text))
    more = (*propose_follow_ups(plain), *propose_comparisons(plain))
    return [*plain, *_sound(more), *propose_near_misses(plain, texts)]


def _merged(drafts: Iterable[Draft]) -> list[Draft]:
    """Return each question once, with every sentence that answers it; those with several answers are left out."""
    same: dict[str, list[Draft]] = defaultdict(list)
    for draft in drafts:
        same[draft.question].append(draft)
    return [
        replace(group[0], also=tuple(dict.fromkeys(one.sources[0] for one in group[1:])))
        for group in same.values()
        if all(set(one.expect[0]) & set(group[0].expect[0]) for one in group)
    ]


def _answerable(document_id: str, text: str) -> Iterator[Draft]:
    for sentence in _sentences(document_id, text):
        make = propose_chinese if is_ideographic(sentence.text) else propose_english
        yield from _sound(make(sentence, text))


def _sentences(document_id: str, text: str) -> Iterator[Sentence]:
    for span in split_sentences(text)[:_SENTENCES_A_DOCUMENT]:
        written = span.of(text)
        lengths = _HAN_LENGTHS if is_ideographic(written) else _LENGTHS
        is_prose = written.rstrip('”」)"').endswith((".", "。", "！", "；")) and not _NO_PROSE.search(written)
        whole = all(written.count(opening) == written.count(closing) for opening, closing in _UNBALANCED)
        if len(written) in lengths and is_prose and whole and written.count('"') % 2 == 0:
            sentence = Sentence(document_id, written)
            if occurrences(text, sentence.flat()):
                yield sentence


def _sound(drafts: Iterable[Draft]) -> Iterator[Draft]:
    """Yield the drafts whose answer can be checked, stands in the sources, and is not given away by the question."""
    for draft in drafts:
        sources = " ".join(source.flat() for source in draft.sources)
        is_stated = all(any(shows(sources, phrase) for phrase in group) for group in draft.expect)
        gives_away = any(shows(draft.question, phrase) for group in draft.expect for phrase in group)
        is_bare = not draft.question or len(draft.question) > _LONGEST_QUESTION or draft.question.count('"') % 2
        if draft.expect and is_stated and not gives_away and not is_bare:
            yield draft
