"""Which of several documents is heard first: of copies the best-ranked, of versions the newest or the one asked for.

Nothing is dropped: what gives way only comes later.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TypeVar

from index.document import RetrievedChunk
from index.relations.duplicates import folded_words
from index.relations.relations import Relation
from index.relations.versions import Edition, read_edition

Item = TypeVar("Item")

# Two passages of different versions correspond from this share of common words on.
_CORRESPOND = 0.5


def order_retrieved(retrieved: Sequence[RetrievedChunk], precedence: Precedence) -> list[RetrievedChunk]:
    """Return what was retrieved with older versions behind newer ones and copies counted less, ranked anew.

    A newer version has the score of the older one that it comes before. What copies have said before counts half, the
    next copy a quarter: what is nearly as good comes between them, what has little to say does not.
    """
    ordered = precedence.put_versions_first(retrieved, _document_of, lambda one: one.chunk.text)
    repeated = precedence.count_copies(
        ordered, _document_of, lambda one: [one.chunk.sentence_text(sentence) for sentence in one.chunk.sentences]
    )
    scores = list(accumulate((one.score for one in reversed(ordered)), max))[::-1]
    scored = [replace(one, score=score / 2**times) for one, score, times in zip(ordered, scores, repeated, strict=True)]
    by_score = sorted(scored, key=lambda one: -one.score)
    return [replace(one, rank=rank) for rank, one in enumerate(by_score, start=1)]


def _document_of(one: RetrievedChunk) -> str:
    return one.chunk.document_id


class Precedence:
    """Decides between related documents for one question.

    Args:
        relations: Of the documents concerned, by id.
        questions: Wordings of the question; a version that one of them names comes first.
    """

    def __init__(self, relations: Mapping[str, Relation], questions: Sequence[str]) -> None:
        self._relations = relations
        self._asked = [read_edition(question)[0] for question in questions]

    def versions(self, one: str, other: str) -> int:
        """Return 1 where the first document is a newer version of the second, -1 where older, else 0."""
        first, second = self._relations.get(one), self._relations.get(other)
        if first is None or second is None or not first.series or first.series != second.series:
            return 0
        return (first.edition > second.edition) - (first.edition < second.edition)

    def names_version_of(self, document_id: str) -> bool:
        """Return whether the question names the version that a document is."""
        relation = self._relations.get(document_id)
        return relation is not None and bool(relation.series) and self._is_asked_for(relation.edition)

    def count_copies(
        self, items: Sequence[Item], document_of: Callable[[Item], str], parts_of: Callable[[Item], Sequence[str]]
    ) -> list[int]:
        """Return for each item how many copies of its document have said all of it in the items before.

        Args:
            items: Best first.
            document_of: The id of an item's document.
            parts_of: The sentences of an item.
        """
        said: dict[tuple[str, tuple[str, ...]], set[str]] = defaultdict(set)
        counts = []
        for item in items:
            document_id = document_of(item)
            relation = self._relations.get(document_id)
            if relation is None or not relation.copies:
                counts.append(0)
                continue
            parts = [said[relation.copies, tuple(folded_words(part))] for part in parts_of(item)]
            counts.append(min((len(documents - {document_id}) for documents in parts), default=0))
            for documents in parts:
                documents.add(document_id)
        return counts

    def put_versions_first(
        self, items: Sequence[Item], document_of: Callable[[Item], str], text_of: Callable[[Item], str]
    ) -> list[Item]:
        """Return the items, those of an older version right behind what corresponds to them in the one to be heard."""
        waiting = list(items)
        ordered: list[Item] = []
        while waiting:
            item = waiting[0]
            preferred = [other for other in waiting if self._gives_way(document_of(item), document_of(other))]
            if preferred:
                words = frozenset(folded_words(text_of(item)))
                preferred = [other for other in preferred if _correspond(words, text_of(other))]
            first = max(preferred, key=lambda other: self._rank(document_of(other)), default=item)
            ordered.append(waiting.pop(waiting.index(first)))
        return ordered

    def split_versions(
        self, items: Sequence[Item], document_of: Callable[[Item], str], text_of: Callable[[Item], str]
    ) -> tuple[list[Item], list[Item]]:
        """Return the items in two parts: what is to be heard, and what corresponds to it in another version."""
        current, superseded = list[Item](), list[Item]()
        for item in items:
            preferred = [other for other in items if self._gives_way(document_of(item), document_of(other))]
            words = frozenset(folded_words(text_of(item))) if preferred else frozenset()
            is_superseded = any(_correspond(words, text_of(other)) for other in preferred)
            (superseded if is_superseded else current).append(item)
        return current, superseded

    def _gives_way(self, one: str, other: str) -> bool:
        first, second = self._relations.get(one), self._relations.get(other)
        if first is None or second is None or not first.series or first.series != second.series:
            return False
        return self._rank(one) < self._rank(other)

    def _rank(self, document_id: str) -> tuple[bool, Edition]:
        edition = self._relations[document_id].edition
        return self._is_asked_for(edition), edition

    def _is_asked_for(self, edition: Edition) -> bool:
        return any(edition.is_meant_by(asked) for asked in self._asked)


def _correspond(words: frozenset[str], text: str) -> bool:
    others = frozenset(folded_words(text))
    return len(words & others) >= _CORRESPOND * len(words | others)
