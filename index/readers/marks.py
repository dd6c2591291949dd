"""What in a document is kept out of answers, each with its words, so that nothing goes in silence."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Final

from index.document import Mark, MarkKind, Span
from index.invisible import spelled_by_tags, suspicious_places
from index.readers.block_text import BuiltText
from index.readers.planted import is_planted, planted_places
from index.readers.titles import on_one_line

_MOST_OF_A_KIND: Final = 200  # more of them tell staff nothing new
_LONGEST_EXCERPT: Final = 200


def marks_of(text: str, built: BuiltText, title: str) -> tuple[Mark, ...]:
    """Return the marks of a document.

    Args:
        text: As it is stored.
        built: What stands in the source beside the text.
        title: As the source gives it; comments and properties are marked, as it is, only where they speak to a machine.
    """
    unseen = (words for words in (title, *built.unseen) if is_planted(words))
    return (
        *_at_places(MarkKind.PLANTED_INSTRUCTION, ((place, place.of(text)) for place in planted_places(text))),
        *_elsewhere(MarkKind.PLANTED_INSTRUCTION, unseen),
        *_at_places(
            MarkKind.INVISIBLE_CHARACTERS, ((place, _spell(place.of(text))) for place in suspicious_places(text))
        ),
        *_elsewhere(MarkKind.HIDDEN_TEXT, built.hidden),
        *_elsewhere(MarkKind.BOILERPLATE, built.left_out),
    )


def _at_places(kind: MarkKind, found: Iterable[tuple[Span, str]]) -> list[Mark]:
    most = None if kind is MarkKind.PLANTED_INSTRUCTION else _MOST_OF_A_KIND  # each of those bars a place
    return [Mark(kind, place, _excerpt(words)) for place, words in islice(found, most)]


def _elsewhere(kind: MarkKind, found: Iterable[str]) -> list[Mark]:
    return [Mark(kind, None, words) for words in islice(dict.fromkeys(map(_excerpt, found)), _MOST_OF_A_KIND)]


def _excerpt(words: str) -> str:
    return on_one_line(words[:_LONGEST_EXCERPT])


def _spell(characters: str) -> str:
    return spelled_by_tags(characters) or " ".join(f"U+{ord(character):04X}" for character in characters)
