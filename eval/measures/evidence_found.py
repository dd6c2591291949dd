"""Whether the retrieved chunks hold the evidence, and whether footnotes open the right place and quote it faithfully.

A chunk is relevant to an evidence item when it holds at least half of the characters of one of its quotes. Precision
and recall of citations are those of A. Gao et al., "Enabling Large Language Models to Generate Text with Citations"
(2023), but against places that a person marked instead of the judgement of a model. Source: docs/golden-suites.md.
Nothing is scored without evidence.
"""

from __future__ import annotations

import math

from eval.measures.answered import AnsweredQuestion, Scorable, covers, touches


def success_at_k(asked: Scorable, k: int) -> float | None:
    """Return 1 when any of the first `k` chunks is relevant, else 0 (Voorhees and Tice, TREC-8, 1999)."""
    ranks = asked.first_ranks()
    return float(any(rank <= k for rank in ranks)) if ranks else None


def recall_at_k(asked: Scorable, k: int) -> float | None:
    """Return the share of evidence items found in the first `k` chunks (van Rijsbergen, 1979, chapter 7)."""
    ranks = asked.first_ranks()
    return sum(rank <= k for rank in ranks) / len(ranks) if ranks else None


def reciprocal_rank(asked: Scorable) -> float | None:
    """Return 1 / rank of the first relevant chunk, 0 when there is none (Voorhees, TREC-8, 1999)."""
    ranks = asked.first_ranks()
    return 1 / min(ranks) if ranks else None


def ndcg_at_k(asked: Scorable, k: int) -> float | None:
    """Return the normalised discounted cumulative gain of the first `k` chunks, in [0, 1].

    Discount 1 / log2(rank + 1) as in Järvelin and Kekäläinen, "Cumulated gain-based evaluation of IR techniques"
    (2002). A chunk gains as many evidence items as it is the first to hold, so overlapping chunks that repeat one
    earn nothing (Clarke et al., "Novelty and diversity in information retrieval evaluation", 2008, with alpha 1).
    The ideal list has the same gains sorted, and then every item that was not found in a chunk of its own.
    """
    ranks = asked.first_ranks()
    if not ranks:
        return None
    found = [rank for rank in ranks if rank <= k]
    gains = {int(rank): found.count(rank) for rank in found}
    ideal = sorted(gains.values(), reverse=True) + [1] * (len(ranks) - len(found))
    gained = sum(gain / math.log2(rank + 1) for rank, gain in gains.items())
    return gained / sum(gain / math.log2(rank + 1) for rank, gain in enumerate(ideal[:k], start=1))


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


def quote_fidelity(asked: Scorable) -> float | None:
    """Return 1 when every footnote equals the stored text at its place, else 0; not scored without footnotes.

    The passages that a refusal shows as nearest are footnotes too. The mean must be 1.
    """
    shown = asked.shown_quotes()
    return float(all(quote == stored for quote, stored in shown)) if shown else None
