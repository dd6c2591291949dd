"""From documents to drafted questions: which sentences are asked about, which drafts are sound, and which are chosen.

A language model may word a draft; its line is used only when it asks the same and gives nothing away.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from importlib.resources import files
from random import Random
from tomllib import loads

import regex

from bot.language_model.session import ModelSession
from bot.stages.question.answer_type import AnswerType, expected_type
from bot.stages.question.clean import detect_language
from bot.text.fact import is_ideographic
from bot.text.facts import missing_facts
from eval.drafts.chinese import propose_chinese
from eval.drafts.english import propose_english
from eval.drafts.near_miss import propose_comparisons, propose_follow_ups, propose_near_misses
from eval.drafts.question_draft import FOLLOW_UP, QuestionDraft, SourceSentence
from eval.measures.correctness import shows
from index.text.sentences import split_sentences
from index.text.words import content_words, iterate_words

_LENGTHS, _HAN_LENGTHS = range(30, 600), range(10, 200)
_LONGEST_QUESTION = 240
_LONGEST_WORDING = 200
_SENTENCES_A_DOCUMENT = 400
_NEAR_MISS_SHARE = 4  # one in four
# Footnote marks, table rows, links and formulas; and what the cells of a sheet could not hold.
_NO_PROSE = regex.compile(r"\t|https?:|www\.|[|{}<>=_#\[\]]|[\p{Cc}--\s]", regex.VERSION1)
_UNBALANCED = (("(", ")"), ("“", "”"), ("「", "」"), ("《", "》"))


def propose_questions(texts: Mapping[str, str]) -> list[QuestionDraft]:
    """Return every question that can be drafted from documents, by id, in a fixed order."""
    plain = _merged(draft for document_id, text in texts.items() for draft in _answerable(document_id, text))
    more = (*propose_follow_ups(plain), *propose_comparisons(plain))
    return [*plain, *_sound(more), *propose_near_misses(plain, texts)]


def _merged(drafts: Iterable[QuestionDraft]) -> list[QuestionDraft]:
    """Return each question once, with every sentence that answers it; those with several answers are left out."""
    same: dict[str, list[QuestionDraft]] = defaultdict(list)
    for draft in drafts:
        same[draft.question].append(draft)
    return [
        replace(group[0], also=tuple(dict.fromkeys(one.sources[0] for one in group[1:])))
        for group in same.values()
        if all(set(one.expect[0]) & set(group[0].expect[0]) for one in group)
    ]


def _answerable(document_id: str, text: str) -> Iterator[QuestionDraft]:
    for span in split_sentences(text)[:_SENTENCES_A_DOCUMENT]:
        written = span.of(text)
        is_han = is_ideographic(written)
        is_prose = written.rstrip('”」)"').endswith((".", "。", "！", "；")) and not _NO_PROSE.search(written)
        is_whole = all(written.count(opening) == written.count(closing) for opening, closing in _UNBALANCED)
        if (
            len(written) in (_HAN_LENGTHS if is_han else _LENGTHS)
            and is_prose
            and is_whole
            and written.count('"') % 2 == 0
        ):
            sentence = SourceSentence(document_id, written)
            yield from _sound(propose_chinese(sentence) if is_han else propose_english(sentence, text))


def _sound(drafts: Iterable[QuestionDraft]) -> Iterator[QuestionDraft]:
    """Yield the drafts whose answer can be checked, stands in the sources, and is not given away by the question."""
    for draft in drafts:
        sources = " ".join(source.flat() for source in draft.sources)
        is_stated = all(any(shows(sources, phrase) for phrase in group) for group in draft.expect)
        is_bare = not draft.question or len(draft.question) > _LONGEST_QUESTION or draft.question.count('"') % 2
        if draft.expect and is_stated and not _gives_away(draft.question, draft) and not is_bare:
            yield draft


def _gives_away(question: str, draft: QuestionDraft) -> bool:
    return any(shows(question, phrase) for group in draft.expect for phrase in group)


def choose_drafts(proposed: Sequence[QuestionDraft], count: int, seed: int) -> list[QuestionDraft]:
    """Return up to `count` drafts: a quarter near misses, the rest spread over kinds, then documents, then sentences.

    The same proposals and the same seed give the same drafts.
    """
    shuffled = list({(draft.question, draft.asked_before): draft for draft in proposed}.values())
    Random(seed).shuffle(shuffled)  # noqa: S311  # a choice that can be repeated, nothing secret
    misses = [draft for draft in shuffled if draft.is_near_miss]
    answerable = [draft for draft in shuffled if not draft.is_near_miss]
    chosen = _spread(misses, count // _NEAR_MISS_SHARE if answerable else 0)
    return _spread(answerable, count - len(chosen)) + chosen


def _spread(drafts: Iterable[QuestionDraft], count: int) -> list[QuestionDraft]:
    left, chosen = list(drafts), list[QuestionDraft]()
    used: Counter[tuple[int, str]] = Counter()

    def traits(draft: QuestionDraft) -> list[tuple[int, str]]:
        kind = FOLLOW_UP if draft.asked_before else draft.question[:12] if draft.is_near_miss else draft.kind
        source = draft.sources[0]
        return list(enumerate((kind, source.document_id, source.text, draft.subject)))

    while left and len(chosen) < count:
        best = min(left, key=lambda draft: [used[trait] for trait in traits(draft)])
        left.remove(best)
        chosen.append(best)
        used.update(traits(best))
    return chosen


def reword_question(draft: QuestionDraft, consultation: ModelSession) -> QuestionDraft:
    """Return the draft with the question as the model words it, or as it was.

    A follow-up, a comparison and a near miss stay as they are: what makes them one is in their words.

    Raises:
        ModelUnavailableError: The model cannot be used.
    """
    if draft.asked_before or len(draft.sources) > 1 or draft.is_near_miss:
        return draft
    prompts = loads(files("eval.drafts").joinpath("wording.toml").read_text(encoding="utf-8"))["wording"]
    answer = "; ".join(group[0] for group in draft.expect)
    request = prompts["question"].format(sentence=draft.sources[0].flat(), answer=answer, question=draft.question)
    line = consultation.write_line(prompts["system"], request)
    return replace(draft, question=line) if asks_the_same(draft, line) else draft


def asks_the_same(draft: QuestionDraft, line: str) -> bool:
    """Return whether a line asks what a draft asks, from the same words, without a word of the answer."""
    if not line.endswith(("?", "？")) or len(line) > _LONGEST_WORDING or _gives_away(line, draft):
        return False
    kind, sources = expected_type(draft.question), (draft.sources[0].flat(), draft.question)
    if detect_language(line) != detect_language(draft.question) or kind not in (AnswerType.OTHER, expected_type(line)):
        return False
    known = {word.key for text in sources for word in iterate_words(text)}
    new = [word.key for word in content_words(line) if word.key not in known]
    kept = {word.key for word in content_words(draft.question)} & {word.key for word in iterate_words(line)}
    return len(new) <= 1 and bool(kept) and not missing_facts(line, sources)
