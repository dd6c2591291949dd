"""Sentences of evidence as places and citations."""

from __future__ import annotations

from collections.abc import Sequence

from bot.answer.answer import Citation
from bot.answer.draft import Documents, to_citation
from bot.answer.trace import Place
from bot.stages.evidence.excerpts import Excerpt
from bot.stages.evidence.ranking import ScoredSentence
from index.document import Document


def cite(documents: Documents, ranked: Sequence[ScoredSentence]) -> tuple[Citation, ...]:
    """Return the citations of sentences, numbered in order; those that no longer stand there are left out."""
    found: dict[str, Document | None] = {}
    citations: list[Citation] = []
    for one in ranked:
        sentence = one.sentence
        if one.document_id not in found:
            found[one.document_id] = documents.document(one.document_id)
        document = found[one.document_id]
        if document is not None and sentence.span.of(document.text) == sentence.text:
            citations.append(to_citation(document, sentence.span, len(citations) + 1))
    return tuple(citations)


def places(chosen: Sequence[Excerpt] | Sequence[ScoredSentence]) -> tuple[Place, ...]:
    """Return where excerpts or sentences stand."""
    return tuple((one.document_id, one.span if isinstance(one, Excerpt) else one.sentence.span) for one in chosen)
