"""Ranking related documents: copies of a better result and older versions are demoted, never dropped.

The preferred version is the newest, or the one that the question names.
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

Ranked = TypeVar("Ranked")

_CORRESPOND = 0.5  # least share of common words of corresponding passages in two versions


def order_retrieved(retrieved: Sequence[RetrievedChunk], precedence: Precedence) -> list[RetrievedChunk]:
    """Return the chunks ranked anew, with older versions behind newer ones and lower scores for copies.

    A newer version gets the score of the older one that it precedes. A first copy has half its score, the next a
    quarter: chunks that are nearly as good come between copies, irrelevant ones do not.
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
    """Orders related documents for one question.

    Args:
        relations: The relations of the documents, by id.
        questions: Wordings of the question; a version that one of them names is preferred.
    """

    def __init__(self, relations: Mapping[str, Relation], questions: Sequence[str]) -> None:
        self._relations = relations
        self._asked = [read_edition(question)[0] for question in questions]

    def compare_versions(self, one: str, other: str) -> int:
        """Return 1 where the first document is a newer version of the second, -1 where older, else 0."""
        pair = self._versions_of_one_document(one, other)
        return (pair[0] > pair[1]) - (pair[0] < pair[1]) if pair else 0

    def names_version_of(self, document_id: str) -> bool:
        """Return whether the question names the version of a document."""
        relation = self._relations.get(document_id)
        return relation is not None and bool(relation.series) and self._is_asked_for(relation.edition)

    def count_copies(
        self, items: Sequence[Ranked], document_of: Callable[[Ranked], str], parts_of: Callable[[Ranked], Sequence[str]]
    ) -> list[int]:
        """Return for each item how many copies of its document contain all its sentences in earlier items.

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
        self, items: Sequence[Ranked], document_of: Callable[[Ranked], str], text_of: Callable[[Ranked], str]
    ) -> list[Ranked]:
        """Return the items, those of an older version behind the corresponding ones of the preferred version."""
        waiting = list(items)
        ordered: list[Ranked] = []
        while waiting:
            item = waiting[0]
            preferred = [other for other in waiting if self._is_superseded_by(document_of(item), document_of(other))]
            if preferred:
                words = frozenset(folded_words(text_of(item)))
                preferred = [other for other in preferred if _correspond(words, text_of(other))]
            first = max(
                preferred, key=lambda other: self._rank(self._relations[document_of(other)].edition), default=item
            )
            ordered.append(waiting.pop(waiting.index(first)))
        return ordered

    def split_versions(
        self, items: Sequence[Ranked], document_of: Callable[[Ranked], str], text_of: Callable[[Ranked], str]
    ) -> tuple[list[Ranked], list[Ranked]]:
        """Return two lists: the items to use, and those that correspond to one of a preferred version."""
        current, superseded = list[Ranked](), list[Ranked]()
        for item in items:
            preferred = [other for other in items if self._is_superseded_by(document_of(item), document_of(other))]
            words = frozenset(folded_words(text_of(item))) if preferred else frozenset()
            is_superseded = any(_correspond(words, text_of(other)) for other in preferred)
            (superseded if is_superseded else current).append(item)
        return current, superseded

    def _is_superseded_by(self, one: str, other: str) -> bool:
        pair = self._versions_of_one_document(one, other)
        return pair is not None and self._rank(pair[0]) < self._rank(pair[1])

    def _versions_of_one_document(self, one: str, other: str) -> tuple[Edition, Edition] | None:
        first, second = self._relations.get(one), self._relations.get(other)
        if first is None or second is None or not first.series or first.series != second.series:
            return None
        return first.edition, second.edition

    def _rank(self, edition: Edition) -> tuple[bool, Edition]:
        return self._is_asked_for(edition), edition

    def _is_asked_for(self, edition: Edition) -> bool:
        return any(edition.is_meant_by(asked) for asked in self._asked)


def _correspond(words: frozenset[str], text: str) -> bool:
    others = frozenset(folded_words(text))
    return len(words & others) >= _CORRESPOND * len(words | others)
