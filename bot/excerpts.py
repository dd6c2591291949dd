"""Excerpts: the numbered pieces of the documents that a language model is shown, each with its place.

A model reads slowly on two cores, so the excerpts are few and short: the likeliest sentences, each widened to its
line where the line is short. A line of a chat, a list or a table means little without its beginning.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.evidence import Sentence
from bot.judge import Judged
from index.document import Span

# About 180 tokens of English; an ideograph is about two and a half times as many tokens as a letter.
_BUDGET = 750
_MOST = 6
_IDEOGRAPH_COST = 2.5
_FIRST_IDEOGRAPH = "\u2e80"
_SHORT_LINE = 300
_LONGEST_TITLE = 60


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A sentence or short line as it stands in a document.

    Attributes:
        span: Place in the document, in characters of its text.
        text: The words, white space folded.
        sentence: The sentence of evidence that it was chosen for.
    """

    document_id: str
    title: str
    span: Span
    text: str
    sentence: Sentence


def choose_excerpts(ranked: Sequence[Judged], budget: float = _BUDGET) -> tuple[Excerpt, ...]:
    """Return excerpts for the best sentences, best document first, in reading order within a document.

    Args:
        ranked: Sentences of evidence, best first.
        budget: Characters to show; the excerpt that reaches it is the last. Passing over a long sentence for shorter
            ones of less merit loses the answer more often than it saves time.
    """
    chosen: list[Excerpt] = []
    spent = 0.0
    for one in ranked:
        excerpt = _excerpt(one.sentence)
        if any(excerpt.document_id == other.document_id and excerpt.span.overlap(other.span) for other in chosen):
            continue
        chosen.append(excerpt)
        spent += sum(_IDEOGRAPH_COST if character >= _FIRST_IDEOGRAPH else 1 for character in excerpt.text)
        if spent >= budget or len(chosen) == _MOST:
            break
    order = {excerpt.document_id: place for place, excerpt in reversed(list(enumerate(chosen)))}
    return tuple(sorted(chosen, key=lambda excerpt: (order[excerpt.document_id], excerpt.span)))


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


def _excerpt(sentence: Sentence) -> Excerpt:
    chunk = sentence.chunk
    within = sentence.span.shift(-chunk.span.start)
    line_start = chunk.text.rfind("\n", 0, within.start) + 1
    line_end = chunk.text.find("\n", within.end)
    line = Span(line_start, line_end if line_end >= 0 else len(chunk.text))
    chosen = line if len(line) <= _SHORT_LINE else within
    return Excerpt(
        document_id=chunk.document_id,
        title=chunk.title,
        span=chosen.shift(chunk.span.start),
        text=" ".join(chosen.of(chunk.text).split()),
        sentence=sentence,
    )
