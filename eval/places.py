"""Where quotes stand in documents."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache

from index.document import Span

TextOf = Callable[[str], str | None]


@lru_cache(maxsize=4096)
def occurrences(text: str, quote: str) -> tuple[Span, ...]:
    """Return every place where a quote stands in a text, overlapping ones included.

    Any white space in the quote matches any white space in the text, so a line break in the source does no harm;
    everything else must be equal.
    """
    if not quote.strip():
        return ()
    pattern = re.compile(r"\s+".join(re.escape(word) for word in quote.split()))
    places = []
    found = pattern.search(text)
    while found:
        places.append(Span(*found.span()))
        found = pattern.search(text, found.start() + 1)
    return tuple(places)
