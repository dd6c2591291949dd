"""Questions that mean the same, put together and counted: what document owners can act on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.insight.asked import AskedQuestion
from index.embedding.embedder import Vectors

Embed = Callable[[Sequence[str]], Vectors]

# Mean cosine distance up to which two groups are one: different things asked of one subject stay apart.
_APART = 0.4
# The distances of all pairs are held in memory; beyond so many the latest stand for all.
_MOST = 2_000
_NEAREST = 3


@dataclass(frozen=True, slots=True)
class Group:
    """Questions of one meaning.

    Attributes:
        name: The most central of them.
        questions: All of them, newest first.
        nearest: Ids of the documents that come nearest, most frequent first.
    """

    name: str
    questions: tuple[AskedQuestion, ...]
    nearest: tuple[str, ...]


def group_questions(questions: Sequence[AskedQuestion], embed: Embed) -> tuple[Group, ...]:
    """Return questions grouped by meaning, the largest group first.

    Clustered by average linkage on the cosine distances of their vectors.
    """
    some = questions[:_MOST]
    if not some:
        return ()
    vectors = embed([one.question for one in some])
    labels = _labels(vectors)
    groups = [_group(some, vectors, np.flatnonzero(labels == label)) for label in np.unique(labels)]
    return tuple(sorted(groups, key=lambda group: (-len(group.questions), group.name)))


def _labels(vectors: Vectors) -> NDArray[np.intp]:
    if len(vectors) < 2:
        return np.zeros(len(vectors), dtype=np.intp)
    from sklearn.cluster import AgglomerativeClustering  # noqa: PLC0415  # takes a second to import

    clustering = AgglomerativeClustering(n_clusters=None, metric="cosine", linkage="average", distance_threshold=_APART)
    labels: NDArray[np.intp] = clustering.fit_predict(vectors)
    return labels


def _group(questions: Sequence[AskedQuestion], vectors: Vectors, places: NDArray[np.intp]) -> Group:
    members = [questions[int(place)] for place in places]
    own = vectors[places]
    central = int(np.argmax(own @ own.mean(axis=0)))
    documents = Counter(document for one in members for document in one.nearest[:_NEAREST])
    return Group(
        members[central].question, tuple(members), tuple(document for document, _ in documents.most_common(_NEAREST))
    )
