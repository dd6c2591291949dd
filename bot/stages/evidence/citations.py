"""Sentences of evidence as places and citations."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.answer import Citation
from bot.answer.draft import Documents
from bot.answer.trace import Place
from bot.stages.checking.verification import to_citation
from bot.stages.evidence.excerpts import Excerpt
from bot.stages.judgement.answerability import Judged
from index.document import Document


def cite(documents: Documents, ranked: Sequence[Judged]) -> tuple[Citation, ...]:
    """Return the citations of sentences, numbered in order; those that no longer stand there are left out."""
    found: dict[str, Document | None] = {}
    citations: list[Citation] = []
    for one in ranked:
        sentence = one.sentence
        document_id = sentence.chunk.document_id
        if document_id not in found:
            found[document_id] = documents.document(document_id)
        document = found[document_id]
        if document is not None and sentence.span.of(document.text) == sentence.text:
            citations.append(to_citation(document, sentence.span, len(citations) + 1))
    return tuple(citations)


def places(chosen: Sequence[Excerpt] | Sequence[Judged]) -> tuple[Place, ...]:
    """Return where excerpts or sentences stand."""
    return tuple(
        (one.document_id, one.span) if isinstance(one, Excerpt) else (one.sentence.chunk.document_id, one.sentence.span)
        for one in chosen
    )
