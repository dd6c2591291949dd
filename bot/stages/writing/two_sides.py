"""The other side of a question that asks about two things, where what was drafted speaks of one of them only."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import regex

from bot.answer.draft import Documents, Draft, quote
from bot.stages.evidence.ranking import ScoredSentence
from index.embedding.embedder import Embedder
from index.text.words import content_words

# Where two sides stand, in English and Chinese; the first that matches counts.
_SIDES = [
    regex.compile(pattern, regex.IGNORECASE)
    for pattern in (
        r"(?P<a>.+?)[,;]?\s+and\s+(?P<b>(?:how|what|who|when|where|which|why)\b.+)",
        r"\bcompare\s+(?P<a>.+?)\s+(?:with|to|and|against|versus|vs\.?)\s+(?P<b>.+)",
        r"(?P<a>.+?)\s+(?:compares?|compared)\s+(?:with|to|against)\s+(?P<b>.+)",
        r"(?P<a>.+?)\s+(?:differs?|different)\s+(?:from|to|than)\s+(?P<b>.+)",
        r"\bdifferences?\s+(?:\p{L}+\s+)?between\s+(?P<a>.+?)\s+and\s+(?P<b>.+)",
        r"(?P<a>.+?)\s+(?:versus|vs\.?)\s+(?P<b>.+)",
        r"(?P<a>.+?\b(?:more|less|fewer|(?!other|rather)\p{L}+er)\b.*?)\s+than\s+(?P<b>(?!\d|an?\s|one\b).+)",
        r"\bboth\s+(?P<a>.+?)\s+and\s+(?P<b>.+)",
        r"(?P<a>.+?)[和與与跟及](?P<b>.+?)(?:相比|比較|比较|有何不同|有[什甚][麼么]不同|的?(?:差[別别異异]|分[別别]|不同|[區区][別别]))",
    )
]
_CONSIDERED = 12
# Cosine similarities of a sentence with one side: what is less says little about it, and what is hardly more than the
# drafted sentences have is no better. Set by hand on four questions of seed.yaml.
_ABOUT = 0.35
_MORE_THAN_DRAFTED = 0.1


def sides(question: str) -> tuple[str, str] | None:
    """Return the two things that a question asks about, if it does: "How does A differ from B?" gives A and B."""
    for pattern in _SIDES:
        if (match := pattern.search(question)) and all(_names_something(match[side]) for side in "ab"):
            return match["a"], match["b"]
    return None


def other_side(
    question: str, drafts: Sequence[Draft], ranked: Sequence[ScoredSentence], documents: Documents, embedder: Embedder
) -> list[Draft]:
    """Return a quote for each side of a question that no draft speaks of.

    Args:
        question: Standing alone.
        drafts: What would be answered.
        ranked: Sentences of evidence, best first.
        documents: To quote from.
        embedder: Compares the sides with the sentences.
    """
    asked = sides(question) if drafts else None
    if asked is None:
        return []
    sentences = [one.sentence for one in ranked[:_CONSIDERED]]
    spans = [(document.document_id, span) for one in drafts for document, span in one.sources]
    is_drafted = np.array(
        [any(one.chunk.document_id == name and one.span.overlap(span) for name, span in spans) for one in sentences]
    )
    if not is_drafted.any():
        return []
    vectors = embedder.embed([*asked, *(one.text for one in sentences)])
    found: dict[int, Draft] = {}
    for similarities in vectors[: len(asked)] @ vectors[len(asked) :].T:
        best = int(similarities.argmax())
        enough = max(_ABOUT, float(similarities[is_drafted].max()) + _MORE_THAN_DRAFTED)
        document = documents.document(sentences[best].chunk.document_id)
        if similarities[best] >= enough and document is not None:
            found.setdefault(best, quote(document, sentences[best].span))
    return list(found.values())


def _names_something(side: str) -> bool:
    return any(regex.search(r"\p{L}", word.key) for word in content_words(side))
