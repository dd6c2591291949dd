"""The sentences of the retrieved chunks that may answer, each with its span and its features."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple, dataclass, fields, replace
from itertools import pairwise

import regex

from bot.answer.understanding import Understanding
from bot.stages.question.answer_type import AnswerType, expected_type, holds_type
from bot.stages.question.clean import has_words
from index.document import Chunk, RetrievedChunk, Span
from index.embedding.embedder import Embedder
from index.search.keywords import WordStatistics
from index.text.words import Word, content_words

_LONGEST_COMPARED = 300  # characters
# A line is short up to so many letters; an ideograph counts for more, because it says more.
_SHORT_LINE = 300
_IDEOGRAPH_LENGTH = 2.5
_FIRST_IDEOGRAPH = "\u2e80"
_SENTENCE_END = regex.compile(r"[.!?。！？…][\"'”’」』)）\]]*$")
_ASKS = regex.compile(r"[?？][^\p{L}\p{N}]*$")
# A picture in Markdown states nothing, and its address answers no question.
_PICTURE = regex.compile(r"!\[[^\]\n]*\]\([^)\n]*\)?")
# "Chair:", "JenniferMoore:", "Address：": what a line of a record, a form or a list is about.
_LABEL = regex.compile(r"\s*[^:：\n]{1,40}[:：](?=\s|[^\x00-\x7f])")
# Encoding sentences is the slowest step of an extractive answer: the words rule most of them out, and of the rest those
# that rank first with their vectors guessed are compared. Comparing all of them chose no better excerpts
# (docs/performance.md).
_KEPT_SENTENCES = 24
_COMPARED_SENTENCES = 6
# A sentence's cosine guessed from its chunk's: a line through those of three public sets. And the guess for a question
# before it: above the mean of .23, so that the sentence is compared rather than missed.
_SLOPE, _OFFSET = 0.57, 0.05
_GUESSED_REPLY = 0.4

Score = Callable[["Features"], float]


@dataclass(frozen=True, slots=True)
class Features:
    """The features of a sentence, each in [0, 1] (a cosine may be a little below 0).

    Attributes:
        similarity: Cosine of question and sentence, guessed for all but the likeliest.
        reply_similarity: Cosine of question and the sentence before, where that one asks something; else 0. Guessed for
            all but the likeliest.
        chunk_score: Of the chunk, as it was retrieved.
        coverage: Share of the question's content words, weighted by rarity, that stand in the sentence.
        line_coverage: How much more of it stands in the line around the sentence, where that is short.
        label_matches: 1 when the line begins with a label, such as a speaker's name, that the question names.
        pair_coverage: Share of neighbouring pairs of content words that stand close together in the sentence.
        subject_coverage: Share of the names and numbers of the question that stand in sentence or context.
        holds_type: Whether it holds the kind of thing asked for; 0.5 when no kind is expected.
        brevity: 1 for a short sentence, falling to 0 at 100 words.
        is_complete: Whether it ends like a sentence, not like a heading or a table row.
    """

    similarity: float
    reply_similarity: float
    chunk_score: float
    coverage: float
    line_coverage: float
    label_matches: float
    pair_coverage: float
    subject_coverage: float
    holds_type: float
    brevity: float
    is_complete: float

    def row(self) -> tuple[float, ...]:
        """Return the features as numbers, in the order of `feature_names`."""
        return astuple(self)


def feature_names() -> tuple[str, ...]:
    """Return the names of the features in order."""
    return tuple(field.name for field in fields(Features))


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of evidence with its place."""

    chunk: Chunk
    span: Span
    text: str
    features: Features
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class QuestionWords:
    """The content words of a question and how much each one tells."""

    words: tuple[Word, ...]
    weights: Mapping[str, float]
    kind: AnswerType

    def weight_of(self, keys: frozenset[str]) -> float:
        """Return the share of the question's weight that stands in `keys`; 1 for a question without content."""
        asked = {word.key for word in self.words}
        total = sum(self.weights[key] for key in asked)
        return sum(self.weights[key] for key in asked & keys) / total if total else 1.0


def read_question(understanding: Understanding, statistics: WordStatistics) -> QuestionWords:
    """Return what the words of a question ask for, misspelt ones as they were meant.

    Weights are inverse document frequencies as BM25 has them: log(1 + (N - n + 0.5) / (n + 0.5)).
    """
    kind = expected_type(understanding.question)
    if kind is AnswerType.OTHER and understanding.context:
        kind = expected_type(understanding.context)
    words = tuple(
        replace(word, key=statistics.corrections.get(word.key, word.key))
        for word in content_words(understanding.standalone_question)
    )
    weights = {}
    for word in words:
        found = statistics.frequencies.get(word.key, 0)
        weights[word.key] = math.log(1 + (max(statistics.chunks, found) - found + 0.5) / (found + 0.5))
    return QuestionWords(words, weights, kind)


def select_sentences(
    understanding: Understanding,
    asked: QuestionWords,
    retrieved: Sequence[RetrievedChunk],
    embedder: Embedder,
    score: Score,
) -> list[Sentence]:
    """Return the likeliest sentences of the retrieved chunks with their features, best first; none twice.

    Args:
        understanding: The question.
        asked: Its words.
        retrieved: The chunks.
        embedder: Compares the best sentences with the question.
        score: How likely a sentence of some features states the answer.
    """
    places: dict[tuple[str, Span], tuple[RetrievedChunk, str]] = {}
    for result in retrieved:
        previous = ""
        for span in result.chunk.sentences:
            if not has_words(_PICTURE.sub(" ", result.chunk.sentence_text(span))):
                continue
            places.setdefault((result.chunk.document_id, span), (result, previous))
            previous = result.chunk.sentence_text(span)
    found = [
        _describe(asked, result, span, result.chunk.sentence_text(span), previous)
        for (_, span), (result, previous) in places.items()
    ]
    kept = sorted(found, key=lambda one: _likelihood(one.features), reverse=True)[:_KEPT_SENTENCES]
    kept.sort(key=lambda one: score(one.features), reverse=True)
    likeliest, others = kept[:_COMPARED_SENTENCES], kept[_COMPARED_SENTENCES:]
    asking = [_asking(places[_place(one)][1]) for one in likeliest]
    texts = [text[:_LONGEST_COMPARED] for text in (*(one.text for one in likeliest), *asking)]
    compared = list(dict.fromkeys(text for text in texts if text))
    question, *vectors = embedder.embed([understanding.standalone_question, *compared])
    similarity = {"": 0.0, **{text: float(vector @ question) for text, vector in zip(compared, vectors, strict=True)}}
    measured = [
        replace(one, features=replace(one.features, similarity=similarity[text], reply_similarity=similarity[before]))
        for one, text, before in zip(likeliest, texts[: len(likeliest)], texts[len(likeliest) :], strict=True)
    ]
    return measured + others


def _asking(previous: str) -> str:
    return previous if _ASKS.search(previous) else ""


def _likelihood(features: Features) -> float:
    """Return what the words alone say; the rest is left out."""
    of_sentence = features.coverage + features.pair_coverage
    return of_sentence + 2 * features.chunk_score + 0.5 * features.line_coverage + 0.4 * features.label_matches


def _place(sentence: Sentence) -> tuple[str, Span]:
    return sentence.chunk.document_id, sentence.span


def _describe(asked: QuestionWords, result: RetrievedChunk, span: Span, text: str, previous: str) -> Sentence:
    chunk = result.chunk
    words = content_words(text)
    keys = frozenset(word.key for word in words) | spelled_out(asked.words, words)
    nearby = (*content_words(chunk.title), *content_words(previous))
    context = keys | {word.key for word in nearby} | spelled_out(asked.words, nearby)
    subject = {word.key for word in asked.words if word.is_name or word.is_number}
    label = _LABEL.match(_line(chunk, span).of(chunk.text))
    in_line = content_words(short_line(chunk, span).of(chunk.text))
    line_keys = {word.key for word in in_line} | spelled_out(asked.words, in_line)
    features = Features(
        similarity=_OFFSET + _SLOPE * (result.similarity or 0.0),  # compared later, for the likeliest, as is the next
        reply_similarity=_GUESSED_REPLY if _asking(previous) else 0.0,
        chunk_score=result.score,
        coverage=asked.weight_of(keys),
        line_coverage=asked.weight_of(keys | line_keys) - asked.weight_of(keys),
        label_matches=float(bool(label and subject & {word.key for word in content_words(label.group())})),
        pair_coverage=_pair_coverage(asked.words, words),
        subject_coverage=len(subject & context) / len(subject) if subject else 1.0,
        holds_type=0.5 if asked.kind is AnswerType.OTHER else float(holds_type(text, asked.kind)),
        brevity=max(0.0, 1 - len(words) / 100),
        is_complete=float(bool(_SENTENCE_END.search(text))),
    )
    return Sentence(chunk, span, text, features, keys)


def short_line(chunk: Chunk, span: Span) -> Span:
    """Return the place, within the text of a chunk, of the line that holds a sentence, or of the sentence alone.

    A line of a chat, a list or a table means little without its beginning; a paragraph in one line is too much.

    Args:
        chunk: Where the sentence stands.
        span: The sentence, in characters of its document.
    """
    line = _line(chunk, span)
    is_shown = reading_length(line.of(chunk.text)) <= _SHORT_LINE and chunk.is_evidence(line.shift(chunk.span.start))
    return line if is_shown else span.shift(-chunk.span.start)


def reading_length(text: str) -> float:
    """Return how much there is to read, in letters; an ideograph is about two and a half times as many tokens."""
    return sum(_IDEOGRAPH_LENGTH if character >= _FIRST_IDEOGRAPH else 1 for character in text)


def _line(chunk: Chunk, span: Span) -> Span:
    within = span.shift(-chunk.span.start)
    end = chunk.text.find("\n", within.end)
    return Span(chunk.text.rfind("\n", 0, within.start) + 1, end if end >= 0 else len(chunk.text))


def spelled_out(asked: Sequence[Word], words: Sequence[Word]) -> frozenset[str]:
    """Return the question's words that a text has as an abbreviation, or has in full where the question abbreviates.

    "AI" stands in "Artificial Intelligence", and "artificial" and "intelligence" stand in "AI".
    """
    return frozenset(_full_forms(asked, words)) | frozenset(
        key for full in _full_forms(words, asked).values() for key in full
    )


def _full_forms(short: Sequence[Word], long: Sequence[Word]) -> dict[str, tuple[str, ...]]:
    """Return which words of one text abbreviate a run of words of the other, by their initials."""
    initials = "".join(word.key[:1] or " " for word in long)
    found = {}
    for word in short:
        if word.is_capitals and 2 <= len(word.key) <= 6 and (start := initials.find(word.key)) >= 0:
            found[word.key] = tuple(other.key for other in long[start : start + len(word.key)])
    return found


def _pair_coverage(asked: Sequence[Word], words: Sequence[Word]) -> float:
    """Return the share of neighbouring question words found within three words of each other, either way round."""
    keys = [word.key for word in words]
    near = {frozenset((a, b)) for i, a in enumerate(keys) for b in keys[i + 1 : i + 4]}
    pairs = [frozenset((a.key, b.key)) for a, b in pairwise(asked) if a.key != b.key]
    return sum(pair in near for pair in pairs) / len(pairs) if pairs else 0.0
