"""Whether an answer says what a set accepts."""

from __future__ import annotations

from collections.abc import Sequence

from eval.benchmark.protocol import Protocol
from eval.benchmark.wording import answer_stems, answer_words, contains, token_f1

_ENOUGH = 0.5
_YES_NO = (["yes"], ["no"])


def is_right(protocol: Protocol, accepted: Sequence[str], text: str) -> bool:
    """Return whether the text, footnote markers removed, says one of the accepted answers.

    It does when the accepted answer stands in it word for word, or the two share half of their words (token F1 of at
    least .5). An accepted answer in parts stands in it when every part does. Where the protocol says so, "yes" and
    "no" must be the first word instead, because either stands in many sentences that say something else.
    """
    return any(_says(protocol, gold, text) for gold in accepted)


def _says(protocol: Protocol, gold: str, text: str) -> bool:
    words = answer_stems if protocol.compare == "stems" else answer_words
    said, wanted = words(text), words(gold)
    if protocol.yes_no and wanted in _YES_NO:
        return said[:1] == wanted
    parts = gold.split(protocol.parts) if protocol.parts else [gold]
    return all(contains(said, words(part)) for part in parts) or token_f1(said, wanted) >= _ENOUGH
