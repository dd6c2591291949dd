"""From documents to drafts: sentences that can be understood alone, and the questions they answer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

import regex

from bot.facts.normal_form import is_ideographic
from eval.draft.chinese import propose_chinese
from eval.draft.draft import Draft, Sentence
from eval.draft.english import propose_english
from eval.draft.near_miss import propose_near_misses
from eval.draft.pairs import propose_comparisons, propose_follow_ups
from eval.places import occurrences
from eval.wording import shows
from index.sentences import split_sentences

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
