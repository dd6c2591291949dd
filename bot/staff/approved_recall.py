"""Finds the approved answer to a question."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from bot.answer.answer import Answer
from bot.staff.approved_answers import Approved, ApprovedAnswers
from bot.staff.same_question import NEAR, Consult, Sameness, without_courtesies
from bot.storage.answer_changes import FindDocument
from index.embedding.embedder import Embedder, Vectors

# The model is asked about so many at most: it takes as long as reading a page each time.
_CANDIDATES = 2


@dataclass(frozen=True, slots=True)
class _Shown:
    state: tuple[int, str]
    answers: tuple[Approved, ...]
    vectors: Vectors


class Recall:
    """Finds the approved answer to a question; safe for many threads.

    Args:
        store: The approved answers.
        find_document: Returns the documents that they cite.
        embedder: Compares questions.
        sameness: Judges whether two are the same.
    """

    def __init__(
        self, store: ApprovedAnswers, find_document: FindDocument, embedder: Embedder, sameness: Sameness
    ) -> None:
        self._store = store
        self._find_document = find_document
        self._embedder = embedder
        self._sameness = sameness
        self._shown: _Shown | None = None

    def find(self, question: str, consult: Consult) -> tuple[Approved, Answer] | None:
        """Return the approved answer to a question, with its citations where their passages are now.

        A candidate of which a passage has changed is withdrawn.

        Args:
            question: Standing alone.
            consult: Asks the language model, where there is one.
        """
        scored = [
            (self._sameness.score(question, approved.question, self._embedder, consult), -place, approved)
            for place, approved in enumerate(self._candidates(question))
        ]
        for score, _, approved in sorted(scored, key=lambda one: one[:2], reverse=True):
            if score >= 0 and (answer := self._store.relocated(approved, self._find_document)):
                return approved, answer
        return None

    def warm_up(self) -> None:
        """Embed the approved questions, so that the first reader does not wait for it."""
        self._current()

    def _candidates(self, question: str) -> list[Approved]:
        """Return the approved answers whose questions are nearest, nearest first."""
        shown = self._current()
        if not shown.answers:
            return []
        near = shown.vectors @ self._embedder.embed([without_courtesies(question)])[0]
        order = np.argsort(-near, kind="stable")[:_CANDIDATES]
        return [shown.answers[place] for place in order if near[place] >= NEAR]

    def _current(self) -> _Shown:
        state = self._store.state()
        shown = self._shown
        if shown is None or shown.state != state:
            answers = self._store.shown()
            texts = [without_courtesies(approved.question) for approved in answers]
            # With no texts the embedder is not called, not even for its dimension: it may not be the index's.
            vectors = self._embedder.embed(texts) if texts else np.zeros((0, 0), np.float32)
            shown = self._shown = _Shown(state, answers, vectors)
        return shown
