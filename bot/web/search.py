"""Search for programs: the chunks that a question retrieves, with their text, for callers without the index."""

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
        description="The words of the document from `start` to `end`, instructions to a language model blanked out."
    )


class FoundChunks(BaseModel):
    """What a question retrieved, best first, without an answer."""

    model_config = ConfigDict(frozen=True)

    id: str
    standalone_question: str = Field(description="The question as it was searched: a follow-up with what it refers to.")
    retrieved: tuple[FoundChunk, ...]
    timings_ms: dict[str, float]


def find(chatbot: Chatbot, question: str, history: Sequence[Turn] = (), top_k: int | None = None) -> FoundChunks:
    """Return what a question retrieves. A chunk that is replaced by a new version meanwhile is left out.

    Raises:
        EmptyIndexError: Nothing has been indexed yet.
    """
    result = chatbot.search(question, history, top_k=top_k)
    chunks = chatbot.library.chunks([entry.chunk_id for entry in result.retrieved])
    documents = {document_id: chatbot.document(document_id) for document_id in {c.document_id for c in chunks.values()}}
    return FoundChunks(
        id=result.id,
        standalone_question=result.standalone_question,
        retrieved=tuple(
            _found_chunk(entry, chunks[entry.chunk_id], documents[entry.document_id])
            for entry in result.retrieved
            if entry.chunk_id in chunks
        ),
        timings_ms=result.timings_ms,
    )


def _found_chunk(entry: RetrievedEntry, chunk: Chunk, document: Document | None) -> FoundChunk:
    page = document.page_at(entry.start) if document else None
    text = _without(document.barred() if document else (), chunk)
    return FoundChunk(**entry.model_dump(), title=chunk.title, page=page, text=text)


def _without(barred: Sequence[Span], chunk: Chunk) -> str:
    """Return a chunk's text with spans blanked out that must not become evidence: a language model may read it."""
    text = chunk.text
    for span in barred:
        start, end = max(span.start - chunk.span.start, 0), min(span.end, chunk.span.end) - chunk.span.start
        if start < end:
            text = text[:start] + " " * (end - start) + text[end:]
    return text
