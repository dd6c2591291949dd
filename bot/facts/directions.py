"""Directions: "from east to west" is not "from west to east"."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import regex

from bot.facts.fact import Fact
from bot.facts.normal_form import normalise
from index.document import Span

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
