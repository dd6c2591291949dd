"""Excerpts: the numbered pieces of the documents that a language model is shown, each with its place.

A model reads slowly on two cores, and a small one judges better the less it is shown. So the excerpts are few and
short: the likeliest sentences, each widened to its line where the line is short. Only where these do not convince are
more shown, after them, so that a server that keeps the state of a shared beginning need not read them again.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.stages.evidence.ranking import ScoredSentence
from bot.stages.evidence.selection import Sentence, reading_length, short_line
from index.document import Span
from index.text.invisible import without_suspicious

# About 110 and 270 tokens of English.
_BUDGET = 450
_WIDE_BUDGET = 1_100
_MOST = 4
_MOST_WIDE = 8
_LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence or short line as it stands in a document.

    Attributes:
        span: Place in the document, in characters of its text.
        text: The words, white space folded, without invisible characters.
        sentence: The sentence of evidence that it was chosen for.
    """

    document_id: str
    title: str
    span: Span
    text: str
    sentence: Sentence


def choose_excerpts(
    ranked: Sequence[ScoredSentence], budget: float = _BUDGET, most: int = _MOST
) -> tuple[Excerpt, ...]:
    """Return excerpts for the best sentences, best document first, in reading order within a document.

    Args:
        ranked: Sentences of evidence, best first.
        budget: Characters to show; the excerpt that reaches it is the last. Passing over a long sentence for shorter
            ones of less merit loses the answer more often than it saves time.
        most: Excerpts to show.
    """
    chosen: list[Excerpt] = []
    spent = 0.0
    for one in ranked:
        excerpt = excerpt_of(one.sentence)
        if any(excerpt.document_id == other.document_id and excerpt.span.overlap(other.span) for other in chosen):
            continue
        chosen.append(excerpt)
        spent += reading_length(excerpt.text)
        if spent >= budget or len(chosen) == most:
            break
    order = {excerpt.document_id: place for place, excerpt in reversed(list(enumerate(chosen)))}
    return tuple(sorted(chosen, key=lambda excerpt: (order[excerpt.document_id], excerpt.span)))


def widen(excerpts: tuple[Excerpt, ...], ranked: Sequence[ScoredSentence]) -> tuple[Excerpt, ...]:
    """Return the excerpts with more of the sentences after them; the same where there are no more."""
    wide = choose_excerpts(ranked, _WIDE_BUDGET, _MOST_WIDE)
    known = {(excerpt.document_id, excerpt.span) for excerpt in excerpts}
    return (*excerpts, *(one for one in wide if (one.document_id, one.span) not in known))


def number_excerpts(excerpts: Sequence[Excerpt]) -> str:
    """Return the excerpts as a model reads them: numbered from 1, under the title of their document."""
    lines: list[str] = []
    document_id = None
    for number, excerpt in enumerate(excerpts, start=1):
        if excerpt.document_id != document_id:
            lines.append(f"({excerpt.title[:_LONGEST_TITLE]})")
            document_id = excerpt.document_id
        lines.append(f"[{number}] {excerpt.text}")
    return "\n".join(lines)


def excerpt_of(sentence: Sentence) -> Excerpt:
    """Return what a model is shown of a sentence: its line where that is short."""
    chunk = sentence.chunk
    chosen = short_line(chunk, sentence.span)
    return Excerpt(
        document_id=chunk.document_id,
        title=chunk.title,
        span=chosen.shift(chunk.span.start),
        text=" ".join(without_suspicious(chosen.of(chunk.text)).split()),
        sentence=sentence,
    )
