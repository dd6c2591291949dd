"""What a question retrieves, with its words: what programs are given, which cannot look places up themselves."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from bot.answer.answer import RetrievedEntry
from bot.answer.conversation import Turn
from bot.chatbot import Chatbot
from index.document import Chunk, Document, Span


class FoundChunk(RetrievedEntry):
    """A retrieved piece of a document: its place, its rank and its words."""

    title: str = Field(description="Title of the document.")
    page: int | None = Field(description="Number of the page it begins on, where the document has pages.")
    text: str = Field(
        description="The words of the document from `start` to `end`, words that speak to a machine blanked out."
    )


class Found(BaseModel):
    """What a question retrieved, best first, without an answer."""

    model_config = ConfigDict(frozen=True)

    id: str
    standalone_question: str = Field(description="The question as it was searched: a follow-up with what it refers to.")
    retrieved: tuple[FoundChunk, ...]
    timings_ms: dict[str, float]


def find(chatbot: Chatbot, question: str, history: Sequence[Turn] = (), top_k: int | None = None) -> Found:
    """Return what a question retrieves. A chunk that is replaced by a new version meanwhile is left out.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
    """
    result = chatbot.search(question, history, top_k=top_k)
    chunks = chatbot.library.chunks([entry.chunk_id for entry in result.retrieved])
    documents: dict[str, Document | None] = {}
    retrieved = []
    for entry in result.retrieved:
        if (chunk := chunks.get(entry.chunk_id)) is None:
            continue
        if entry.document_id not in documents:
            documents[entry.document_id] = chatbot.document(entry.document_id)
        document = documents[entry.document_id]
        page = document.page_at(entry.start) if document else None
        text = _without(document.barred() if document else (), chunk)
        retrieved.append(FoundChunk(**entry.model_dump(), title=chunk.title, page=page, text=text))
    return Found(
        id=result.id,
        standalone_question=result.standalone_question,
        retrieved=tuple(retrieved),
        timings_ms=result.timings_ms,
    )


def _without(barred: Sequence[Span], chunk: Chunk) -> str:
    """Return the words of a chunk, those blanked out that must not become evidence: a language model will read them."""
    text = chunk.text
    for span in barred:
        start, end = max(span.start - chunk.span.start, 0), min(span.end, chunk.span.end) - chunk.span.start
        if start < end:
            text = text[:start] + " " * (end - start) + text[end:]
    return text
