"""The question within a long message: people tell a story before they ask."""

from __future__ import annotations

import regex

from bot.condense import find_reference

# A message up to this long is a question as it is.
_LONG = 160
_LONG_IDEOGRAPHS = 60
_SENTENCE_END = regex.compile(r"(?<=[.!?])\s+|(?<=[。！？])\s*")
_QUESTION_END = ("?", "？")
_IDEOGRAPH = regex.compile(r"\p{Han}")


def focus(message: str) -> str:
    """Return the sentences of a long message that ask, each with the one before it where it leans on that.

    A message that is short, or asks in no sentence of its own, is returned whole.
    """
    if len(message) <= _LONG and len(_IDEOGRAPH.findall(message)) <= _LONG_IDEOGRAPHS:
        return message
    sentences = [sentence for sentence in _SENTENCE_END.split(message.strip()) if sentence]
    kept: list[int] = []
    for place, sentence in enumerate(sentences):
        if sentence.endswith(_QUESTION_END):
            leans = place > 0 and find_reference(sentence) is not None
            kept += [place - 1, place] if leans else [place]
    return " ".join(sentences[place] for place in dict.fromkeys(kept)) or message
