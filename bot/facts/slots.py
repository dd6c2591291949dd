"""Numbers, dates and times that changed places: between the same two words must stand the same one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import pairwise

from bot.facts.dates import missing_dates
from bot.facts.fact import Fact
from bot.facts.numbers import missing_numbers
from bot.facts.times import missing_times
from bot.facts.tokens import Token, read_tokens


def misplaced(statement: str, sources: Sequence[str]) -> list[Fact]:
    """Return the numbers, dates and times of the statement that stand where the sources have others."""
    stated: dict[tuple[str, str], list[str]] = defaultdict(list)
    for source in sources:
        for slot, token in _slots(source):
            stated[slot].append(token.span.of(source))
    found = []
    for slot, token in _slots(statement):
        written = token.span.of(statement)
        if slot in stated and all(_differs(written, other) for other in stated[slot]):
            found.append(Fact("date" if token.key.startswith("@") else "number", written.strip(), token.span))
    return found


def _slots(text: str) -> Iterator[tuple[tuple[str, str], Token]]:
    """Yield each number, date and time with the words on either side, where these say something."""
    for (before, token), (_, after) in pairwise(pairwise(read_tokens(text))):
        if token.key[0] in "#@" and (before.is_content or after.is_content):
            yield (before.key, after.key), token


def _differs(written: str, other: str) -> bool:
    return bool(missing_numbers(written, [other]) or missing_dates(written, [other]) or missing_times(written, [other]))
