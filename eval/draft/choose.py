"""Chooses drafts so that every kind of question and every document has its share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from eval.draft.draft import FOLLOW_UP, Draft

_NEAR_MISS_SHARE = 4  # one in four


def choose_drafts(proposed: Sequence[Draft], count: int, seed: int) -> list[Draft]:
    """Return up to `count` drafts: a quarter near misses, the rest spread over kinds, then documents, then sentences.

    The same proposals and the same seed give the same drafts.
    """
    shuffled = list({(draft.question, draft.asked_before): draft for draft in proposed}.values())
    Random(seed).shuffle(shuffled)  # noqa: S311  # a choice that can be repeated, nothing secret
    misses = [draft for draft in shuffled if draft.is_near_miss]
    answerable = [draft for draft in shuffled if not draft.is_near_miss]
    wanted = count // _NEAR_MISS_SHARE if answerable else 0
    chosen = _spread(misses, wanted)
    return _spread(answerable, count - len(chosen)) + chosen


def _spread(drafts: list[Draft], count: int) -> list[Draft]:
    left, chosen = list(drafts), list[Draft]()
    used: Counter[object] = Counter()
    while left and len(chosen) < count:
        best = min(left, key=lambda draft: _cost(draft, used))
        left.remove(best)
        chosen.append(best)
        used.update(_shares(best))
    return chosen


def _cost(draft: Draft, used: Counter[object]) -> tuple[int, ...]:
    kind, document, sentence, subject = _shares(draft)
    return used[kind] + used[sentence] // 2, used[document], used[sentence], used[subject]


def _shares(draft: Draft) -> tuple[object, object, object, object]:
    kind = FOLLOW_UP if draft.asked_before else draft.question[:12] if draft.is_near_miss else draft.kind
    source = draft.sources[0]
    return ("kind", kind), ("document", source.document_id), ("sentence", source.text), ("subject", draft.subject)
