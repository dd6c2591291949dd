"""The second stage: what was retrieved, as sentences ranked by how likely each states the answer."""

from __future__ import annotations

from dataclasses import dataclass

from bot.stages.evidence.ranking import ScoredSentence, demote, rank_sentences
from bot.stages.evidence.retrieval import Retrieved
from bot.stages.evidence.selection import QuestionWords, read_question, select_sentences
from bot.stages.logistic import LogisticModel
from index.embedding.embedder import Embedder
from index.relations.precedence import Precedence
from index.search.keywords import WordStatistics


@dataclass(frozen=True, slots=True)
class Evidence:
    """The sentences that may answer a question.

    Attributes:
        asked: The words of the question and how much each one tells.
        ranked: Best first; those that add nothing come last.
        precedence: Which of the documents are copies or versions of others.
    """

    asked: QuestionWords
    ranked: tuple[ScoredSentence, ...]
    precedence: Precedence


def gather_evidence(
    retrieved: Retrieved,
    statistics: WordStatistics,
    precedence: Precedence,
    embedder: Embedder,
    model: LogisticModel,
    *,
    demote_copies: bool = True,
) -> Evidence:
    """Return the sentences of the retrieved chunks that may answer.

    Args:
        retrieved: The chunks, and the question in their language.
        statistics: How often the words of the question occur.
        precedence: Of the documents that were found.
        embedder: Compares the best sentences with the question.
        model: Gives the probability that a sentence with some features states the answer.
        demote_copies: Whether sentences that add nothing are put last.
    """
    asked = read_question(retrieved.searched, statistics)
    sentences = select_sentences(
        retrieved.searched, asked, retrieved.chunks, embedder, lambda features: model.probability(features.row())
    )
    ranked = rank_sentences(sentences, model)
    if demote_copies:
        ranked = demote(ranked, precedence, retrieved.searched.standalone_question)
    return Evidence(asked, tuple(ranked), precedence)
