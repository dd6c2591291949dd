"""Drafts by quoting the one to three sentences that answer. No language model; cannot invent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from bot.answer.draft import Documents, Draft, quote
from bot.stages.evidence.ranking import ScoredSentence
from index.document import Document, Span

_MAXIMUM_STATEMENTS = 3
_MAXIMUM_WORDS = 110
# A further sentence must come this close to the best one, and say something new.
_SHARE_OF_BEST = 0.8
_SHARE_OF_NEW_WORDS = 0.4
# And say of the question itself at least this share of what the best one says: scores count the line around a sentence.
_SHARE_OF_COVERAGE = 0.5

_LEANS_BACK = regex.compile(
    r"^(?:(?:and|but|so|then|however|therefore|thus|also|instead|moreover|in addition),?\s+)?"
    r"(?:he|she|it|they|this|these|those|that|his|her|its|their|such|both|the (?:former|latter|two))\b"
    r"|^(?:他|她|它|這|这|該|该|其)",
    regex.IGNORECASE,
)
_WORD = regex.compile(r"\p{Han}|[\p{L}\p{N}]+")


def quote_drafts(evidence: Sequence[ScoredSentence], documents: Documents) -> Iterator[Draft]:
    """Yield up to three quoted sentences, in the order of the document when they share one."""
    places: list[tuple[Document, Span]] = []
    for one in choose_sentences(evidence):
        document = documents.document(one.document_id)
        if document is not None:
            places.append((document, _with_antecedent(document, one)))
    for document, span in _in_reading_order(places):
        yield quote(document, span)


def choose_sentences(evidence: Sequence[ScoredSentence]) -> list[ScoredSentence]:
    """Return the best sentence and up to two more that come close to it, say something new, and fit."""
    chosen: list[ScoredSentence] = []
    words = 0
    for one in evidence:
        length = len(_WORD.findall(one.sentence.text))
        if chosen:
            fits = len(chosen) < _MAXIMUM_STATEMENTS and words + length <= _MAXIMUM_WORDS
            if not fits or one.score < _SHARE_OF_BEST * chosen[0].score:
                continue
            if one.sentence.features.coverage < _SHARE_OF_COVERAGE * chosen[0].sentence.features.coverage:
                continue
            said = frozenset().union(*(other.sentence.words for other in chosen))
            new = one.sentence.words - said
            if len(new) < _SHARE_OF_NEW_WORDS * max(len(one.sentence.words), 1):
                continue
        chosen.append(one)
        words += length
    return chosen


def _with_antecedent(document: Document, one: ScoredSentence) -> Span:
    """Return the sentence's span, with the sentence before when it opens with a word that points back to it."""
    span = one.sentence.span
    if not _LEANS_BACK.match(one.sentence.text):
        return span
    before = [other for other in one.sentence.chunk.sentences if other.end <= span.start]
    between = document.text[before[-1].end : span.start] if before else ""
    if not before or "\n" in between or between.strip():  # what stands between may be no evidence
        return span
    return Span(before[-1].start, span.end)


def _in_reading_order(places: list[tuple[Document, Span]]) -> list[tuple[Document, Span]]:
    """Return the places in the document's order where they share one, documents by their best sentence; none twice."""
    order = {document.document_id: rank for rank, (document, _) in reversed(list(enumerate(places)))}
    merged: list[tuple[Document, Span]] = []
    for document, span in sorted(places, key=lambda place: (order[place[0].document_id], place[1])):
        if merged and merged[-1][0].document_id == document.document_id and merged[-1][1].overlap(span):
            merged[-1] = (document, Span(merged[-1][1].start, max(merged[-1][1].end, span.end)))
        else:
            merged.append((document, span))
    return merged
