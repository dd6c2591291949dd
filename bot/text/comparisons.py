"""Words that set a bound, an order or a direction, and flip the meaning when another stands in their place.

Directions: "from east to west" is not "from west to east".
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import regex

from bot.text.fact import Fact, normalise, read_table
from bot.text.tokens import read_tokens
from index.document import Span


@dataclass(frozen=True, slots=True)
class ComparisonWord:
    """One such word: where it stands, what it says, and the compared forms of the words on either side."""

    span: Span
    group: str
    kind: str
    before: str
    after: str


_PATTERNS = {
    (group, kind): regex.compile("|".join(spellings), regex.IGNORECASE)
    for group, kinds in read_table("comparisons").items()
    for kind, spellings in kinds.items()
}


# Groups whose words narrow or widen what is said, so that a source must have them.
_NEVER_ADDED = frozenset({"bound", "order", "amount", "restriction"})


@functools.lru_cache(maxsize=4096)
def read_comparisons(text: str) -> tuple[ComparisonWord, ...]:
    """Return the words of a text that set bounds, order or direction, longer spellings before those inside them."""
    plain = normalise(text)
    places: list[tuple[Span, str, str]] = []
    for (group, kind), pattern in _PATTERNS.items():
        places.extend((Span(*match.span()), group, kind) for match in pattern.finditer(plain) if match.group())
    places.sort(key=lambda place: (-len(place[0]), place[0]))
    kept: list[tuple[Span, str, str]] = []
    for place in places:
        if not any(place[0].overlap(other[0]) for other in kept):
            kept.append(place)
    tokens = [one for one in read_tokens(text, tuple(span for span, _, _ in kept)) if one.is_content]
    found = []
    for span, group, kind in sorted(kept):
        before = next((one.key for one in reversed(tokens) if one.span.end <= span.start), "")
        after = next((one.key for one in tokens if one.span.start >= span.end), "")
        found.append(ComparisonWord(span, group, kind, before, after))
    return tuple(found)


def missing_comparisons(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the comparing words that the sources lack or contradict, and the bounds on numbers that are left out."""
    stated = [one for source in sources for one in read_comparisons(source)]
    said = read_comparisons(statement)
    added = [Fact("comparison", one.span.of(statement), one.span) for one in said if not _is_stated(one, stated)]
    return added + _lost_bounds(statement, said, sources)


def _is_stated(one: ComparisonWord, stated: Sequence[ComparisonWord]) -> bool:
    rivals = [other for other in stated if other.group == one.group]
    if not any(other.kind == one.kind for other in rivals):
        # "Finished" for "completed" is another word, which the model may pass; for "started" it is a contradiction.
        return not rivals and one.group not in _NEVER_ADDED
    for side in ("before", "after"):
        word = getattr(one, side)
        kinds = {other.kind for other in rivals if word and getattr(other, side) == word}
        if kinds and one.kind not in kinds:
            return False
    return True


def _lost_bounds(statement: str, said: Sequence[ComparisonWord], sources: Sequence[str]) -> list[Fact]:
    """Return the bounds that every source sets on a number and the statement does not."""
    bounded = {key for one in said if one.group == "bound" for key in (one.before, one.after)}
    found = []
    for token in read_tokens(statement):
        if not token.key.startswith("#") or token.key in bounded:
            continue
        free = False
        bounds: list[str] = []
        for source in sources:
            comparisons = [one for one in read_comparisons(source) if one.group == "bound"]
            keys = [one.key for one in read_tokens(source)]
            here = [one for one in comparisons if token.key == _bounded(one)]
            free = free or keys.count(token.key) > len(here)
            bounds.extend(one.span.of(source) for one in here)
        if bounds and not free:
            found.append(Fact("lost comparison", bounds[0], token.span))
    return found


def _bounded(one: ComparisonWord) -> str:
    """Return the number that a bound is set on: "at least 5", but "5 or more"."""
    return one.after if one.after.startswith("#") else one.before


_FIRST_IDEOGRAPH = "\u2e80"
_FROM_TO = regex.compile(
    r"\bfrom\s+(?:the\s+)?(?P<a>[\p{L}\p{N}'’-]+)\s+(?:in)?to\s+(?:the\s+)?(?P<b>[\p{L}\p{N}'’-]+)"
    r"|[由從从自](?P<a>\p{Han}{1,4}?)[至到往向](?P<b>\p{Han}{1,4})",
    regex.IGNORECASE,
)


def missing_directions(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the ways from one thing to another that the sources go the other way, and only so."""
    stated = {ends for source in sources for ends, _ in _read(source)}
    return [
        Fact("comparison", span.of(statement), span)
        for (start, end), span in _read(statement)
        if (end, start) in stated and (start, end) not in stated
    ]


def _read(text: str) -> Iterator[tuple[tuple[str, str], Span]]:
    for match in _FROM_TO.finditer(normalise(text)):
        start, end = match["a"].casefold(), match["b"].casefold()
        if start[0] >= _FIRST_IDEOGRAPH:
            end = end[: len(start)]  # words have no spaces between them; the two ends are alike
        yield (start, end), Span(*match.span())
