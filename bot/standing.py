"""Which sentences of evidence are heard: none that forbids an answer; copies, echoes and old versions come last."""

from __future__ import annotations

from collections.abc import Sequence

import regex

from bot.blocking import blocks_answers
from bot.judge import Judged
from index.precedence import Precedence
from index.words import content_words

_ASKS = regex.compile(r"[?？][^\p{L}\p{N}]*$")


def order_by_standing(ranked: Sequence[Judged], precedence: Precedence, question: str) -> list[Judged]:
    """Return the sentences that are heard, best first, those of less standing behind all others.

    Args:
        ranked: Best first.
        precedence: Of the documents they stand in.
        question: Standing alone; a sentence that only asks it does not answer it.
    """
    asked = {word.key for word in content_words(question)}
    open_to_all = [one for one in ranked if not blocks_answers(one.sentence.text)]
    echoes = [one for one in open_to_all if _ASKS.search(one.sentence.text) and one.sentence.words <= asked]
    answering = [one for one in open_to_all if one not in echoes]
    current, superseded = precedence.split_versions(answering, _document_of, lambda one: one.sentence.text)
    copies = precedence.count_copies(current, _document_of, lambda one: [one.sentence.text])
    counted = list(zip(current, copies, strict=True))
    heard, repeated = [one for one, times in counted if not times], [one for one, times in counted if times]
    return [*heard, *superseded, *repeated, *echoes]


def _document_of(one: Judged) -> str:
    return one.sentence.chunk.document_id
