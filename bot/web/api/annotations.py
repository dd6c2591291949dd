"""Footnotes in the form of OpenAI's `url_citation`: where the marker stands, and a link that opens the place."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer import Citation, find_markers
from bot.web.api.chat_models import Annotation, UrlCitation
from bot.web.links import citation_path


def annotate(text: str, citations: Sequence[Citation], base_url: str, offset: int = 0) -> tuple[Annotation, ...]:
    """Return an annotation for each marker in a text.

    Args:
        text: The text, or a piece of one.
        citations: What its markers refer to.
        base_url: Address that the links begin with.
        offset: Where the piece begins in the whole text.
    """
    by_number = {citation.number: citation for citation in citations}
    return tuple(
        Annotation(
            url_citation=UrlCitation(
                start_index=offset + start,
                end_index=offset + end,
                title=by_number[number].title,
                url=base_url.rstrip("/") + citation_path(by_number[number]),
            )
        )
        for number, start, end in find_markers(text)
        if number in by_number
    )
