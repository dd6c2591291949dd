"""Whether footnotes open the right place, and show what stands there.

Precision and recall as in A. Gao et al., "Enabling Large Language Models to Generate Text with Citations" (2023),
but against places that a person marked instead of the opinion of a model. Source: docs/golden-suites.md.
"""

from __future__ import annotations

from bot.answer.answer import Citation
from eval.measures.answered import AnsweredQuestion, covers, touches


def citation_recall(asked: AnsweredQuestion) -> float | None:
    """Return the share of evidence items of which one citation covers at least half of the characters of a quote.

    A refused question with evidence gets 0: nothing was cited. Not scored without evidence.
    """
    items = asked.evidence()
    if not items:
        return None
    return sum(any(covers(place, item) for place in asked.cited()) for item in items) / len(items)


def citation_precision(asked: AnsweredQuestion) -> float | None:
    """Return the share of citations that touch an evidence item; not scored without evidence or citations."""
    items, cited = asked.evidence(), asked.cited()
    if not items or not cited:
        return None
    return sum(any(touches(place, item) for item in items) for place in cited) / len(cited)


def quote_fidelity(asked: AnsweredQuestion) -> float | None:
    """Return 1 when every footnote equals the stored text at its place, else 0; not scored without footnotes.

    The passages that a refusal shows as nearest are footnotes too. The mean must be 1.
    """
    nearest = asked.answer.refusal.nearest if asked.answer.refusal else ()
    shown = (*asked.answer.citations, *nearest)
    return float(all(_is_faithful(citation, asked) for citation in shown)) if shown else None


def _is_faithful(citation: Citation, asked: AnsweredQuestion) -> bool:
    text = asked.text_of(citation.document_id)
    return text is not None and text[citation.start : citation.end] == citation.quote
