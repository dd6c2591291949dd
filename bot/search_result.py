"""What `footnote search` prints."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from bot.answer import RetrievedEntry


class SearchResult(BaseModel):
    """What a question retrieved."""

    model_config = ConfigDict(frozen=True)

    id: str
    standalone_question: str
    retrieved: tuple[RetrievedEntry, ...]
    timings_ms: dict[str, float]
