"""Sentences of evidence ranked by how likely each states the answer; copies and superseded versions come last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import regex

from bot.stages.evidence.selection import Sentence
from bot.stages.logistic import LogisticModel
from index.relations.precedence import Precedence
from index.text.words import content_words

_ASKS = regex.compile(r"[?？][^\p{L}\p{N}]*$")
_FORBIDS = regex.compile(
    r"\b(?:this|that|such an?|the (?:above|following)) (?:question|query|request) "
    r"(?:can(?:not|'t|’t| not)|(?:must|should|may|shall|will) not|is not to|is impossible to|has no answer)\b"
    r"|\b(?:refuse|decline) to (?:answer|reply|respond)"
    r"(?:\s+(?:to\s+)?(?:this|any|it|all|the (?:question|user)|questions)\b|[.!:]|$)"
    r"|(?:^|[.!:;]\s*|\b(?:you|assistants?|the (?:bot|model|assistant)) (?:must|should|shall|will|are to) |\bplease )"
    r"(?:do not|don['’]t|never|not) (?:answer|reply|respond)\b"
    r"|\b(?:ignore|disregard) (?:all |any )?(?:the |of the )?(?:other|previous|above|preceding) "
    r"(?:documents?|sources?|passages?|context|instructions?|texts?)\b"
    r"|(?:此|這個|这个|該|该|上述|以下)(?:問題|问题|提問|提问)(?:無法|无法|不能|不可|不得|不應|不应)(?:回答|作答|解答)"
    r"|(?:請|请|必須|必须|應|应)(?:拒絕|拒绝|不要|勿)(?:回答|作答|答覆|答复)|(?:忽略|無視|无视)(?:其他|上述|之前)的?(?:文件|資料|资料|指示|指令)",
    regex.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class ScoredSentence:
    """A sentence and the probability that it states the answer, judged alone."""

    sentence: Sentence
    score: float

    @property
    def document_id(self) -> str:
        """The document that it stands in."""
        return self.sentence.chunk.document_id


def rank_sentences(sentences: Sequence[Sentence], model: LogisticModel) -> list[ScoredSentence]:
    """Return the sentences by how likely each states the answer, best first; `model` is `Calibration.sentence`."""
    scored = [ScoredSentence(sentence, model.probability(sentence.features.row())) for sentence in sentences]
    return sorted(scored, key=lambda one: (-one.score, one.document_id, one.sentence.span))


def demote(ranked: Sequence[ScoredSentence], precedence: Precedence, question: str) -> list[ScoredSentence]:
    """Return the sentences that may be used, best first, with those that add nothing behind all others.

    These are, in order: sentences of superseded versions, copies, and sentences that only repeat the question.
    Sentences that forbid an answer are left out.

    Args:
        ranked: Best first.
        precedence: Of the documents they stand in.
        question: Standing alone.
    """
    asked = {word.key for word in content_words(question)}
    usable = [one for one in ranked if not forbids_answers(one.sentence.text)]
    echoes = [one for one in usable if _ASKS.search(one.sentence.text) and one.sentence.words <= asked]
    answering = [one for one in usable if one not in echoes]
    current, superseded = precedence.split_versions(answering, _document_of, lambda one: one.sentence.text)
    copies = precedence.count_copies(current, _document_of, lambda one: [one.sentence.text])
    counted = list(zip(current, copies, strict=True))
    first, repeated = [one for one, times in counted if not times], [one for one, times in counted if times]
    return [*first, *superseded, *repeated, *echoes]


def forbids_answers(sentence: str) -> bool:
    """Return whether a sentence tells the reader, or the bot, not to answer (refusal injection).

    Shafran, Schuster and Shmatikov (2025, "Machine Against the RAG: Jamming Retrieval-Augmented Generation with Blocker
    Documents") plant such sentences to have answers withheld.
    """
    return bool(_FORBIDS.search(sentence))


def _document_of(one: ScoredSentence) -> str:
    return one.document_id
